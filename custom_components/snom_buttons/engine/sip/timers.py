"""The timer values of RFC 3261 (table 4 in appendix A), in seconds."""

T1 = 0.5
"""Round-trip time estimate."""
T2 = 4.0
"""Longest interval of retransmitting non-INVITE requests, and responses to INVITE."""
T4 = 5.0
"""Longest time that a message remains in the network."""

TIMER_E = T1
"""First retransmission of a non-INVITE request over an unreliable transport."""
TIMER_F = 64 * T1
"""Non-INVITE transaction timeout."""
TIMER_G = T1
"""First retransmission of a final response to INVITE."""
TIMER_H = 64 * T1
"""How long to wait for the ACK."""
TIMER_I = T4
"""How long to absorb retransmissions of the ACK; 0 if reliable."""
TIMER_J = 64 * T1 + T4
"""How long to answer retransmissions of a non-INVITE request; 0 if reliable. T4 longer
than in RFC 3261: the last one, sent just before timer F fires, may be late, and must
not be taken for a new request."""
TIMER_K = T4
"""How long to absorb retransmissions of the final response; 0 if reliable."""
