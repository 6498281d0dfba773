"""The REGISTERs of products as public traces show them, and their digest spellings.

Each has the headers of its product in their order and spelling, with documentation
addresses and made-up names. baresip, linphone, PJSUA, pyVoIP and Net::SIP are as they
were seen with this server. No public trace of MizuDroid was found: its REGISTER is lean,
as that of a small client. The digests of 3Com and FRITZ!Box are a guess.
"""

from __future__ import annotations

import asyncio
import hashlib
from itertools import count
import re
from typing import NamedTuple

import pytest

from custom_components.snom_buttons.engine.phones import PhoneServer
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawMessage
from tests.support.serving import PASSWORD, lit, make_phone, serving
from tests.support.udp import UdpPeer

pytestmark = pytest.mark.usefixtures("socket_enabled")

CNONCE = "1a2b3c4d"
# The order of most stacks, and the one of snom phones since firmware 7.
USUAL = (
    'Digest username="44", realm="{realm}", nonce="{nonce}", uri="{uri}",'
    ' response="{response}", algorithm=MD5, cnonce="{cnonce}", qop=auth, nc={nc}'
)
SNOM = (
    'Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",qop=auth,nc={nc},'
    'cnonce="{cnonce}",response="{response}",algorithm=MD5'
)


class Product(NamedTuple):
    """What a product sends; `{authorization}` is a line that its first request lacks."""

    register: str
    contact: str
    """As the 200 must repeat it, without an `expires` that it does not have."""
    agent: str | None = None
    """The User-Agent; None for a product that does not send any."""
    credentials: str = USUAL
    uri: str = ""
    """The digest's `uri` if it is not the Request-URI."""


PRODUCTS = {
    # An algorithm in lower case, and the digest of RFC 2069 whatever qop is offered.
    "snom105-2": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.12:5060;branch=z9hG4bK-{id};rport
From: "Kitchen" <sip:44@{host}>;tag=a1b2c3d4e5
To: "Kitchen" <sip:44@{host}>
Call-ID: 3c26700aaaaa-bbbbbbbbbbbb@192-0-2-12
CSeq: {cseq} REGISTER
Max-Forwards: 70
Contact: <sip:44@192.0.2.12:5060;line=abcd1234>;q=1.0
User-Agent: snom105-2.04g
Supported: gruu
{authorization}
Expires: 600
Content-Length: 0
""",
        contact="<sip:44@192.0.2.12:5060;line=abcd1234>;q=1.0",
        agent="snom105-2.04g",
        credentials='Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",'
        'response="{response}",algorithm=md5',
    ),
    # A Contact without a user, a folded Authorization, and web pages as WWW-Contact.
    "snom105-3": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.12:2050;branch=z9hG4bK-{id};rport
From: "Kitchen" <sip:44@{host}>;tag=a1b2c3d4e5
To: "Kitchen" <sip:44@{host}>
Call-ID: 3c2670090f86-aaaaaaaaaaaa@aa-bb-ccc-dde
CSeq: {cseq} REGISTER
Max-Forwards: 70
Contact: <sip:192.0.2.12:2050;line=abcd1234>;q=1.0
{authorization}
WWW-Contact: <https://192.0.2.12:443>
WWW-Contact: <http://192.0.2.12:80>
X-Real-IP: 192.0.2.12
Allow-Events: dialog
Supported: gruu
P-NAT-Refresh: 15
User-Agent: snom105-3.56p
Expires: 86400
Content-Length: 0
""",
        contact="<sip:192.0.2.12:2050;line=abcd1234>;q=1.0",
        agent="snom105-3.56p",
        credentials='Digest username="44",realm="{realm}",\n  nonce="{nonce}",'
        'uri="{uri}",response="{response}"',
    ),
    # A display name that is not ASCII.
    "snom360": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.13:5060;branch=z9hG4bK-{id};rport
From: "Büro 1. Stock" <sip:44@{host}>;tag=b1b2b3b4b5
To: "Büro 1. Stock" <sip:44@{host}>
Call-ID: 3c2688800000-cccccccccccc
CSeq: {cseq} REGISTER
Max-Forwards: 70
Contact: <sip:44@192.0.2.13:5060;line=efgh5678>;reg-id=1
P-Key-Flags: resolution="31x13", keys="4"
User-Agent: snom360/7.3.30
Supported: gruu
Allow-Events: dialog
X-Real-IP: 192.0.2.13
{authorization}
Expires: 3600
Content-Length: 0
""",
        contact="<sip:44@192.0.2.13:5060;line=efgh5678>;reg-id=1",
        agent="snom360/7.3.30",
        credentials=SNOM,
    ),
    # The instance follows after other parameters.
    "snom370": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.14:5060;branch=z9hG4bK-{id};rport
From: "Ext 44" <sip:44@{host}>;tag=c1c2c3c4c5
To: "Ext 44" <sip:44@{host}>
Call-ID: 3c2683990000-dddddddddddd
CSeq: {cseq} REGISTER
Max-Forwards: 70
Contact: <sip:44@192.0.2.14:5060>;reg-id=1;q=1.0;+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000000000370>"
User-Agent: snom370/7.3.14
Supported: gruu
Allow-Events: dialog
X-Real-IP: 192.0.2.14
{authorization}
Expires: 3600
Content-Length: 0
""",
        contact="<sip:44@192.0.2.14:5060>;reg-id=1;q=1.0"
        ';+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000000000370>"',
        agent="snom370/7.3.14",
        credentials=SNOM,
    ),
    # Capabilities of RFC 3840 with commas in quotes.
    "snomD375": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.15:59880;branch=z9hG4bK-{id};rport
From: "Front desk" <sip:44@{host}>;tag=d1d2d3d4d5
To: "Front desk" <sip:44@{host}>
Call-ID: 313531303030303030303030303030-eeeeeeeeeeee
CSeq: {cseq} REGISTER
Max-Forwards: 70
User-Agent: snomD375/8.9.3.60
Contact: <sip:44@192.0.2.15:59880;line=ijkl9012>;reg-id=1;q=1.0;+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000413000375>";audio;mobility="fixed";duplex="full";description="snomD375";actor="principal";events="dialog";methods="INVITE,ACK,CANCEL,BYE,REFER,OPTIONS,NOTIFY,SUBSCRIBE,PRACK,MESSAGE,INFO"
Allow-Events: dialog, talk, hold
X-Real-IP: 192.0.2.15
Supported: path, gruu
{authorization}
Expires: 3600
Content-Length: 0
""",
        contact="<sip:44@192.0.2.15:59880;line=ijkl9012>;reg-id=1;q=1.0"
        ';+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000413000375>";audio'
        ';mobility="fixed";duplex="full";description="snomD375";actor="principal"'
        ';events="dialog";methods="INVITE,ACK,CANCEL,BYE,REFER,OPTIONS,NOTIFY,SUBSCRIBE,'
        'PRACK,MESSAGE,INFO"',
        agent="snomD375/8.9.3.60",
        credentials=SNOM,
    ),
    # Its MAC address in the User-Agent.
    "snomD785": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.16:49431;branch=z9hG4bK-{id};rport
From: "Front desk" <sip:44@{host}>;tag=e1e2e3e4e5
To: "Front desk" <sip:44@{host}>
Call-ID: 313630303030303030303030303030-ffffffffffff
CSeq: {cseq} REGISTER
Max-Forwards: 70
User-Agent: snomD785/10.1.198.12 000413000785
X-Serialnumber: 000413000785
Contact: <sip:44@192.0.2.16:49431;line=mnop3456>;reg-id=1;q=1.0;+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000413000785>";audio;mobility="fixed";duplex="full";description="snomD785";actor="principal";events="dialog";methods="INVITE,ACK,CANCEL,BYE,REFER,OPTIONS,NOTIFY,SUBSCRIBE,PRACK,MESSAGE,INFO,UPDATE"
Allow: INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, SUBSCRIBE, PRACK, MESSAGE, INFO, UPDATE
Allow-Events: dialog, talk, hold, refer, call-info
X-Real-IP: 192.0.2.16
Supported: path, outbound, gruu
{authorization}
Expires: 3600
Content-Length: 0
""",
        contact="<sip:44@192.0.2.16:49431;line=mnop3456>;reg-id=1;q=1.0"
        ';+sip.instance="<urn:uuid:e0000000-0000-4000-8000-000413000785>";audio'
        ';mobility="fixed";duplex="full";description="snomD785";actor="principal"'
        ';events="dialog";methods="INVITE,ACK,CANCEL,BYE,REFER,OPTIONS,NOTIFY,SUBSCRIBE,'
        'PRACK,MESSAGE,INFO,UPDATE"',
        agent="snomD785/10.1.198.12 000413000785",
        credentials=SNOM,
    ),
    # A Route to the server itself, a Contact without a port.
    "FRITZ!Box": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.17:5060;rport;branch=z9hG4bK{id}
Route: <sip:{host};lr>
From: <sip:44@{host}>;tag=F1F2F3F4
To: <sip:44@{host}>
Call-ID: 0123456789ABCDEF@192.0.2.17
CSeq: {cseq} REGISTER
Contact: <sip:44@192.0.2.17;uniq=0123456789ABCDEF0123456789ABC>
{authorization}
Max-Forwards: 70
Expires: 1800
User-Agent: AVM FRITZ!Box 7430 146.07.29 (Jan  1 2022)
Supported: 100rel,replaces,timer
Allow-Events: telephone-event,refer,reg
Allow: INVITE,ACK,OPTIONS,CANCEL,BYE,UPDATE,PRACK,INFO,SUBSCRIBE,NOTIFY,REFER,MESSAGE,PUBLISH
Content-Length: 0
""",
        contact="<sip:44@192.0.2.17;uniq=0123456789ABCDEF0123456789ABC>",
        agent="AVM FRITZ!Box 7430 146.07.29 (Jan  1 2022)",
    ),
    # A display name without quotes, a large CSeq.
    "Fanvil": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.18:5060;branch=z9hG4bK284100000000000001{id};rport
From: 44 <sip:44@{host}>;tag=2780000026
To: 44 <sip:44@{host}>
Call-ID: 59935776000000-44401316000000@192.0.2.18
CSeq: 10317{cseq} REGISTER
Contact: <sip:44@192.0.2.18:5060>
{authorization}
Max-Forwards: 70
Expires: 60
Supported: path
User-Agent: Fanvil X303 2.12.18.9 00a8590000ff
Mac: 00:a8:59:00:00:ff
Allow: INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE
Content-Length: 0
""",
        contact="<sip:44@192.0.2.18:5060>",
        agent="Fanvil X303 2.12.18.9 00a8590000ff",
    ),
    "Yealink": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.19:5060;branch=z9hG4bK72402{id};rport
From: "44 T2" <sip:44@{host}>;tag=723900000
To: "44 T2" <sip:44@{host}>
Call-ID: 4_723900000@192.0.2.19
CSeq: {cseq} REGISTER
Contact: <sip:44@192.0.2.19:5060>
{authorization}
Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE
Max-Forwards: 70
User-Agent: Yealink SIP-T27G 69.86.0.15
Expires: 1800
Allow-Events: talk,hold,conference,refer,check-sync
Content-Length: 0
""",
        contact="<sip:44@192.0.2.19:5060>",
        agent="Yealink SIP-T27G 69.86.0.15",
    ),
    # Request-URI, To and From with a transport; Contact before To.
    "Zoiper": Product(
        """\
REGISTER sip:{host};transport=UDP SIP/2.0
Via: SIP/2.0/UDP 192.0.2.20:55747;branch=z9hG4bK-524287-1---{id};rport
Max-Forwards: 70
Contact: <sip:44@192.0.2.20:55747;rinstance=59d0000000000000;transport=UDP>
To: "44"<sip:44@{host};transport=UDP>
From: "44"<sip:44@{host};transport=UDP>;tag=88740000
Call-ID: aaaaaaaaaaaaaaaaaaaaaa..
CSeq: {cseq} REGISTER
Expires: 60
Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE
Supported: replaces, norefersub, extended-refer, timer, sec-agree, outbound, path, X-cisco-serviceuri
User-Agent: Zoiper v2.10.20.4_1
{authorization}
Allow-Events: presence, kpml, talk, as-feature-event
Content-Length: 0
""",
        contact="<sip:44@192.0.2.20:55747;rinstance=59d0000000000000;transport=UDP>",
        agent="Zoiper v2.10.20.4_1",
        credentials='Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",'
        'response="{response}",cnonce="{cnonce}",nc={nc},qop=auth,algorithm=MD5',
    ),
    # No rport, and another port in Via than the one that it sends from.
    "Cisco-CP7960G": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{id}
From: <sip:44@{host}>;tag=000e84000000000242000000-0e000000
To: <sip:44@{host}>
Call-ID: 000e8400-00000002-3cf00000-64d00000@192.0.2.21
Max-Forwards: 70
Date: Fri, 10 May 2013 16:00:52 GMT
CSeq: 10{cseq} REGISTER
User-Agent: Cisco-CP7960G/8.0
Contact: <sip:44@192.0.2.21:5060;user=phone;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-000e84000000>";+u.sip!model.ccm.cisco.com="7"
{authorization}
Content-Length: 0
Expires: 120
""",
        contact="<sip:44@192.0.2.21:5060;user=phone;transport=udp>"
        ';+sip.instance="<urn:uuid:00000000-0000-0000-0000-000e84000000>"'
        ';+u.sip!model.ccm.cisco.com="7"',
        agent="Cisco-CP7960G/8.0",
        credentials='Digest username="44",realm="{realm}",uri="{uri}",'
        'response="{response}",nonce="{nonce}",algorithm=MD5',
    ),
    # The Contact names another user than the extension.
    "Cisco-CP7975G": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.22:53006;branch=z9hG4bK{id}
From: <sip:44@{host}>;tag=002414000000000000000000-f0000000
To: <sip:44@{host}>
Call-ID: 00241400-00000000-44d00000-0de00000@192.0.2.22
Max-Forwards: 70
Date: Wed, 15 Jul 2015 12:42:56 GMT
CSeq: 1143{cseq} REGISTER
User-Agent: Cisco-CP7975G/9.3.1
Contact: <sip:90000000-0000-4000-8000-000000007975@192.0.2.22:53006;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-002414000000>";+u.sip!devicename.ccm.cisco.com="SEP002414000000";+u.sip!model.ccm.cisco.com="437"
{authorization}
Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-6.0.0,X-cisco-xsi-8.5.1
Content-Length: 0
Expires: 3600
""",
        contact="<sip:90000000-0000-4000-8000-000000007975@192.0.2.22:53006"
        ';transport=udp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-002414000000>"'
        ';+u.sip!devicename.ccm.cisco.com="SEP002414000000"'
        ';+u.sip!model.ccm.cisco.com="437"',
        agent="Cisco-CP7975G/9.3.1",
        credentials='Digest username="44",realm="{realm}",uri="{uri}",'
        'response="{response}",nonce="{nonce}",cnonce="{cnonce}",qop=auth,nc={nc},'
        "algorithm=MD5",
    ),
    # RFC 2543: compact forms, a Via without a branch, a From without a tag.
    "3Com": Product(
        """\
REGISTER sip:{host} SIP/2.0
v: SIP/2.0/UDP 192.0.2.23:5060
t: <sip:44@{host}>
f: <sip:44@{host}>
i: e2d00000-01d6-0352-13c6-00e0bb000000
CSeq: {cseq} REGISTER
Max-Forwards: 70
m: <sip:44@192.0.2.23:5060>;dt=544
Expires: 3600
User-Agent: 3Com-SIP-Phone/V7.1.53.53
X-3Com-PhoneInfo: firstRegistration=yes; primaryCallP=192.0.2.1; secondaryCallP=0.0.0.0;
{authorization}
""",
        contact="<sip:44@192.0.2.23:5060>;dt=544",
        agent="3Com-SIP-Phone/V7.1.53.53",
        credentials='Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",'
        'response="{response}"',
    ),
    "MizuDroid": Product(
        """\
REGISTER sip:{host} SIP/2.0
CSeq: {cseq} REGISTER
Via: SIP/2.0/UDP 192.0.2.24:41000;branch=z9hG4bK{id};rport
User-Agent: MizuDroid
From: "44" <sip:44@{host}>;tag=1000000001
Call-ID: 2000000002
To: <sip:44@{host}>
Contact: "44" <sip:44@192.0.2.24:41000>
{authorization}
Expires: 60
Content-Length: 0
Max-Forwards: 70
""",
        contact='"44" <sip:44@192.0.2.24:41000>',
        agent="MizuDroid",
    ),
    # A Via without a port; the algorithm and qop before the response.
    "sofia": Product(
        """\
REGISTER sip:{host};transport=udp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.25;rport;branch=z9hG4bK{id}
Max-Forwards: 70
From: <sip:44@{host}>;tag=aaaaaaaaaaaaa
To: <sip:44@{host}>
Call-ID: 44ca0000-2daa-433f-bd07-f00000000000
CSeq: 6381736{cseq} REGISTER
Contact: <sip:gw+home@192.0.2.25:5080;transport=udp;gw=home>
Expires: 3600
User-Agent: FreeSWITCH-mod_sofia/1.10.7-dev+git~20210825T173719Z~dd2411336f~64bit
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY
Supported: timer, path, replaces
{authorization}
Content-Length: 0
""",
        contact="<sip:gw+home@192.0.2.25:5080;transport=udp;gw=home>",
        agent="FreeSWITCH-mod_sofia/1.10.7-dev+git~20210825T173719Z~dd2411336f~64bit",
        credentials='Digest username="44", realm="{realm}", nonce="{nonce}",'
        ' algorithm=MD5, qop=auth, uri="{uri}", response="{response}", nc={nc},'
        ' cnonce="{cnonce}"',
    ),
    # Another user in the Contact after each start; the Authorization before To.
    "baresip": Product(
        """\
REGISTER sip:{host};transport=udp SIP/2.0
Via: SIP/2.0/UDP 192.0.2.26:53034;branch=z9hG4bK{id};rport
Contact: <sip:44-0x564f00000000@192.0.2.26:53034>;expires=60
Max-Forwards: 70
{authorization}
Route: <sip:{host};transport=udp;lr>
To: <sip:44@{host}>
From: <sip:44@{host}>;tag=c600000000000000
Call-ID: f000000000000000
CSeq: 6124{cseq} REGISTER
User-Agent: baresip v1.0.0 (x86_64/linux)
Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER
Content-Length: 0
""",
        contact="<sip:44-0x564f00000000@192.0.2.26:53034>;expires=60",
        agent="baresip v1.0.0 (x86_64/linux)",
        credentials='Digest username="44", realm="{realm}", nonce="{nonce}",'
        ' uri="{uri}", response="{response}", cnonce="{cnonce}", qop=auth, nc={nc}',
    ),
    # The digest of another URI than the Request-URI, without qop.
    "pyVoIP": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.27:5060;branch=z9hG4bK{id};rport
From: "44" <sip:44@{host}>;tag=10000001
To: "44" <sip:44@{host}>
Call-ID: 6b86b273ff34fce19d6b804eff5a3f57@192.0.2.27:5060
CSeq: {cseq} REGISTER
Contact: <sip:44@192.0.2.27:5060;transport=UDP>;+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000027>"
Allow: INVITE, ACK, BYE, CANCEL
Max-Forwards: 70
Allow-Events: org.3gpp.nwinitdereg
User-Agent: pyVoIP 1.6.8
Expires: 120
{authorization}
Content-Length: 0
""",
        contact="<sip:44@192.0.2.27:5060;transport=UDP>"
        ';+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000027>"',
        agent="pyVoIP 1.6.8",
        credentials='Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",'
        'response="{response}",algorithm=MD5',
        uri="sip:{host};transport=UDP",
    ),
    # Its own spelling of header names, no User-Agent, no port anywhere, no rport.
    "Net::SIP": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.28;branch=z9hG4bK{id}
Call-id: b3e00000000000000000000000000000
Contact: 44 <sip:44@192.0.2.28>
Cseq: {cseq} REGISTER
Expires: 60
From: 44 <sip:44@ha.test>;tag=0b900000000000000000000000000000
Max-forwards: 70
To: 44 <sip:44@ha.test>
{authorization}
Content-length: 0
""",
        contact="44 <sip:44@192.0.2.28>",
        credentials='Digest username="44",realm="{realm}",nonce="{nonce}",uri="{uri}",'
        'response="{response}",cnonce="{cnonce}",qop=auth,nc={nc},algorithm=MD5',
    ),
    # A To without brackets, two blanks before Digest and before uri, no Content-Length.
    "linphone": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.29:53735;branch=z9hG4bK.{id};rport
From: <sip:44@{host}>;tag=8fXLmg8C5
To: sip:44@{host}
CSeq: 2{cseq} REGISTER
Call-ID: tttttttttt
Max-Forwards: 70
Supported: replaces, outbound, gruu
Accept: application/sdp
Accept: text/plain
Accept: application/vnd.gsma.rcs-ft-http+xml
Contact: <sip:44@192.0.2.29:53735;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000029>"
Expires: 60
User-Agent: Linphonec/5.1.65
{authorization}
""",
        contact="<sip:44@192.0.2.29:53735;transport=udp>"
        ';+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000029>"',
        agent="Linphonec/5.1.65",
        credentials=' Digest realm="{realm}", nonce="{nonce}", algorithm=MD5,'
        ' username="44",  uri="{uri}", response="{response}", cnonce="{cnonce}",'
        " nc={nc}, qop=auth",
    ),
    # Two blanks before the Content-Length, `ob` of RFC 5626, no instance by UDP.
    "PJSUA": Product(
        """\
REGISTER sip:{host} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.30:5080;rport;branch=z9hG4bKPj{id}
Max-Forwards: 70
From: <sip:44@{host}>;tag=5NtaleE8ZS6YNbX8QPwwCHqmZyYnlNdL
To: <sip:44@{host}>
Call-ID: J-hexo9ACqDSki4XhqQEcnOxUnnbQ3dH
CSeq: 1401{cseq} REGISTER
User-Agent: PJSUA v2.15.1 Linux
Contact: <sip:44@192.0.2.30:5080;ob>
Expires: 300
Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS
{authorization}
Content-Length:  0
""",
        contact="<sip:44@192.0.2.30:5080;ob>",
        agent="PJSUA v2.15.1 Linux",
    ),
    # No brackets anywhere, the Authorization before Via.
    "sipsak": Product(
        """\
REGISTER sip:{host} SIP/2.0
{authorization}
Via: SIP/2.0/UDP 192.0.2.31:37695;branch=z9hG4bK.{id};rport;alias
From: sip:44@{host};tag=7b000000
To: sip:44@{host}
Call-ID: 2071000000@192.0.2.31
CSeq: {cseq} REGISTER
Content-Length: 0
Max-Forwards: 70
User-Agent: sipsak 0.9.8.1
Expires: 60
Contact: sip:44@192.0.2.31:5999
""",
        contact="sip:44@192.0.2.31:5999",
        agent="sipsak 0.9.8.1",
        credentials='Digest username="44", uri="{uri}", algorithm=MD5, realm="{realm}",'
        ' nonce="{nonce}", qop=auth, nc={nc}, cnonce="{cnonce}", response="{response}"',
    ),
}


class Device(UdpPeer):
    """A product's REGISTERs, and an answer to whatever the server sends."""

    def __init__(self, server: PhoneServer, product: Product) -> None:
        self.product = product
        self.server = server.address
        self.host = f"{server.address[0]}:{server.address[1]}"
        self.documents: asyncio.Queue[RawMessage] = asyncio.Queue()
        self.challenge: dict[str, str] = {}
        self._answers: asyncio.Queue[RawMessage] = asyncio.Queue()
        self.cseq = count(1)
        self._branch = count(1)
        self._nc = count(1)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = RawMessage.parse(data)
        if message.start.startswith("SIP/2.0 "):
            self._answers.put_nowait(message)
            return
        lines = [
            f"{name}: {message.get(name)}"
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        answer = "\r\n".join(("SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""))
        self._transport.sendto(answer.encode(), self.server)
        self.documents.put_nowait(message)

    async def next_document(self) -> RawMessage:
        async with asyncio.timeout(PATIENCE):
            return await self.documents.get()

    async def send(self, credentials: str = "", text: str = "") -> RawMessage:
        """Send the product's REGISTER, with credentials if given; return the answer."""
        line = f"Authorization: {credentials}\n" if credentials else ""
        text = (
            (text or self.product.register)
            .replace("{authorization}\n", line)
            .replace("{host}", self.host)
            .replace("{cseq}", f"{next(self.cseq)}")
            .replace("{id}", f"{next(self._branch):012x}")
        )
        data = f"{text}\n".replace("\n", "\r\n").encode()
        self._transport.sendto(data, self.server)
        async with asyncio.timeout(PATIENCE):
            return await self._answers.get()

    async def register(self, credentials: str = "", text: str = "") -> RawMessage:
        """Register, with the digest as the product or `credentials` spell it."""
        if not self.challenge:
            answer = await self.send(text=text)
            assert answer.status == 401
            self.challenge = dict(
                re.findall(r'(\w+)="([^"]*)"', answer.all("WWW-Authenticate")[0])
            )
        return await self.send(
            self.filled(credentials or self.product.credentials), text
        )

    def filled(self, credentials: str) -> str:
        """Return credentials with the values for the last challenge."""

        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        realm, nonce = self.challenge["realm"], self.challenge["nonce"]
        uri = self.product.uri or self.product.register.split()[1]
        uri = uri.replace("{host}", self.host)
        secret = digest(f"44:{realm}:{PASSWORD}")
        request = digest(f"REGISTER:{uri}")
        number = next(self._nc)
        counts = {"nc": f"{number:08x}", "NC": f"{number:08X}", "short": f"{number:x}"}
        used = re.search(r"\{(nc|NC|short)\}", credentials)
        middle = f":{counts[used[1]]}:{CNONCE}:auth" if used else ""
        response = digest(f"{secret}:{nonce}{middle}:{request}")
        values = counts | {
            "realm": realm,
            "nonce": nonce,
            "uri": uri,
            "cnonce": CNONCE,
            "response": response,
            "RESPONSE": response.upper(),
        }
        return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], credentials)


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest) -> Product:
    return PRODUCTS[request.param]


async def test_it_registers_is_sent_its_keys_and_leaves(product: Product) -> None:
    phone = make_phone()
    async with serving(phone) as server, Device(server, product) as device:
        answer = await device.register()
        assert answer.status == 200
        (echoed,) = answer.all("Contact")
        assert re.sub(r";expires=\d+$", "", echoed) == product.contact.removesuffix(
            ";expires=60"
        )
        assert phone.registration is not None
        assert phone.registration.user_agent == product.agent

        # To the flow of the REGISTER, whatever Via and Contact say.
        document = await device.next_document()
        target = product.contact.partition("<")[2].partition(">")[0] or product.contact
        assert document.start == f"MESSAGE {target} SIP/2.0"
        phone.keys["1"].show(lit("1"))
        assert "c=on" in (await device.next_document()).body

        # With the next nonce count, or the same nonce used up.
        refreshed = await device.register()
        has_count = "{nc}" in product.credentials
        assert refreshed.status == (200 if has_count else 401)
        assert ("stale=true" in str(refreshed.headers)) is not has_count

        device.challenge.clear()
        text = re.sub(r"(?i)(expires[:=] ?)\d+", r"\g<1>0", product.register)
        answer = await device.register(text=text)
        assert (answer.status, answer.all("Contact")) == (200, [])
        assert not phone.available


# What a product chooses anew when it starts.
NEW = re.compile(
    r"(tag=|line=|instance=|0x|^i: |^Call-[iI][dD]: |uuid:)\w", re.MULTILINE
)


async def test_a_restart_of_it_is_the_same_contact(product: Product) -> None:
    """With another tag, Call-ID, line and instance, and its numbers from the start."""
    phone = make_phone()
    async with serving(phone) as server, Device(server, product) as device:
        await device.register()
        await device.next_document()
        again, changes = NEW.subn(r"\g<1>9", product.register)
        assert changes
        device.challenge.clear()
        device.cseq = count(1)
        answer = await device.register(text=again)
        assert answer.status == 200
        assert len(answer.all("Contact")) == 1
        await device.next_document()
        phone.keys["1"].show(lit("1"))
        assert "c=on" in (await device.next_document()).body
        assert device.documents.empty()


@pytest.mark.parametrize(
    "credentials",
    [
        USUAL,
        USUAL.replace("qop=auth", 'qop="auth"'),
        USUAL.replace("{response}", "{RESPONSE}"),
        USUAL.replace("algorithm=MD5", 'algorithm="MD5"'),
        USUAL.replace("algorithm=MD5", "algorithm=md5"),
        USUAL.replace("algorithm=MD5", 'algorithm="md5"'),
        USUAL.replace(", algorithm=MD5", ""),
        USUAL.replace('cnonce="{cnonce}"', "cnonce={cnonce}"),
        USUAL.replace("nc={nc}", 'nc="{nc}"'),
        USUAL.replace("{nc}", "{NC}"),
        USUAL.replace("{nc}", "{short}"),
        USUAL.replace("=", " = ").replace(",", " , "),
        USUAL.replace(", ", ",\t"),
        USUAL.replace(", ", ",\n "),
        USUAL.replace(", ", ","),
        USUAL.replace("Digest ", "DIGEST   "),
        USUAL.replace("Digest ", "digest\t"),
        USUAL.replace("username", "Username").replace("nonce=", "Nonce=", 1),
        USUAL + ', opaque=""',
        USUAL + ', opaque="0123456789abcdef"',
        USUAL + ", stale=false, domain=x",
        USUAL + ",",
        USUAL.replace("Digest ", "Digest , "),
        "Digest " + ", ".join(reversed(USUAL.removeprefix("Digest ").split(", "))),
    ],
    ids=repr,
)
async def test_spellings_of_a_digest(credentials: str) -> None:
    """RFC 7616 3.4, and what clients make of it."""
    phone = make_phone()
    product = PRODUCTS["Yealink"]
    async with serving(phone) as server, Device(server, product) as device:
        assert (await device.register(credentials)).status == 200
        assert phone.available


async def test_empty_credentials_at_first_are_no_wrong_password() -> None:
    """As IMS clients send them (RFC 3310 3): they are challenged, and not counted."""
    phone = make_phone()
    product = PRODUCTS["Yealink"]
    empty = 'Digest username="44",realm="ha",nonce="",uri="sip:ha",response=""'
    async with serving(phone) as server, Device(server, product) as device:
        for _ in range(20):
            assert (await device.send(empty)).status == 401
        assert server.locked == []
        assert (await device.register()).status == 200


async def test_a_cisco_7960_gets_answers_at_the_port_that_it_sends_from() -> None:
    """Not at its Via's, which asks for no rport: see the known limits."""
    product = PRODUCTS["Cisco-CP7960G"]
    async with serving(make_phone()) as server, Device(server, product) as device:
        answer = await device.send()
        assert answer.status == 401
        assert answer.get("Via").startswith("SIP/2.0/UDP 127.0.0.1:5060;branch=")
        assert "rport" not in answer.get("Via")


async def test_pjsua_ends_its_old_contact_in_the_same_request() -> None:
    """When it has learned from `received` and `rport` that it is behind a router."""
    product = PRODUCTS["PJSUA"]
    phone = make_phone()
    async with serving(phone) as server, Device(server, product) as device:
        await device.register()
        old, new = product.contact, f"<sip:44@{device.address};ob>"
        both = product.register.replace(
            f"Contact: {old}", f"Contact: {new}\nContact: {old};expires=0"
        )
        answer = await device.register(text=both)
        assert answer.all("Contact") == [f"{new};expires=300"]
