# Registers a user with a server as Perl's Net::SIP does behind a router: its Via names an address that the server
# does not see, so that the server adds `received`.
use strict;
use warnings;
use Net::SIP;

my ( $registrar, $user, $password ) = @ARGV;
my $phone = Net::SIP::Simple->new(
    registrar => $registrar,
    domain    => 'ha.test',
    from      => $user,
    auth      => [ $user, $password ],
    leg       => Net::SIP::Leg->new( proto => 'udp', addr => '127.0.0.1', port => 0, host => '192.168.178.44' ),
);
my $expires = $phone->register( expires => 60 );
print defined $expires ? "registered for $expires s\n" : 'failed: ' . $phone->error . "\n";
