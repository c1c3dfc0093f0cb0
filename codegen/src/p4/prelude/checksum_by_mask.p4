// RFC 1071: the checksum of words whose sum is given.
bit<16> checksum_of(in bit<32> total) {
    bit<32> sum = (total & 0xffff) + (total >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (bit<16>) (sum ^ 0xffff);
}
