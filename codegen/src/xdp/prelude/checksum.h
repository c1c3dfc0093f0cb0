// The Internet checksum: RFC 1071, RFC 1624.
#pragma once
#include "bpf.h"

INLINE u16 fold(u32 sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

// RFC 1624 equation 3: the checksum after a 16-bit word has changed.
INLINE u16 adjust(u16 checksum, u16 old, u16 new)
{
    return ~fold((u32)(u16)~checksum + (u16)~old + new);
}
