"""What is measured of the system itself; run by hand, in parts by the tests."""
