// RFC 1624, equation 3: the checksum after a 16-bit word has changed.
void adjust(inout bit<16> checksum, in bit<16> old, in bit<16> now) {
    bit<32> sum = (bit<32>) ~checksum + (bit<32>) ~old + (bit<32>) now;
    sum = (sum & 0xffff) + (sum >> 16);
    checksum = ~(sum[15:0] + sum[31:16]);
}
