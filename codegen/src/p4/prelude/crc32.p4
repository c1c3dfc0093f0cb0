// CRC-32 of IEEE 802.3, bit by bit, the lowest first.
action crc_bit() {
    bit<32> low = meta.crc & 1;
    meta.crc = meta.crc >> 1;
    if (low == 1) {
        meta.crc = meta.crc ^ 0xedb88320;
    }
}

action crc_byte(in bit<8> data) {
    meta.crc = meta.crc ^ (bit<32>) data;
    crc_bit();
    crc_bit();
    crc_bit();
    crc_bit();
    crc_bit();
    crc_bit();
    crc_bit();
    crc_bit();
}
