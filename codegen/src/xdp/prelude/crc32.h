// CRC-32 (IEEE 802.3) by its linearity: each byte adds a word that only its value and place decide.
#pragma once
#include "bpf.h"

// gw_crc[k][b]: what byte b adds when k bytes follow it. The loader fills it.
#define CRC32_TABLES(n) const volatile u32 gw_crc[n][256] SEC(".rodata") = {}
#define CRC32_8(k, x) gw_crc[k][(u8)(x)]
#define CRC32_16(k, x) (CRC32_8((k) + 1, (x) >> 8) ^ CRC32_8(k, x))
#define CRC32_32(k, x) (CRC32_16((k) + 2, (x) >> 16) ^ CRC32_16(k, x))
#define CRC32_64(k, x) (CRC32_32((k) + 4, (x) >> 32) ^ CRC32_32(k, x))
#define CRC32_128(k, x) (CRC32_64((k) + 8, (u64)((x) >> 64)) ^ CRC32_64(k, (u64)(x)))
