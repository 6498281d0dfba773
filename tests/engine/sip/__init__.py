"""Tests of the SIP package, clause by clause of RFC 3261."""
