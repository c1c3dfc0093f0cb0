//! Makes a frame what it would be on a wire: its checksum complete, its VLAN tag in place.

/// Writes the checksum whose sum starts at `start` and which stands `offset` bytes behind that, as the network card
/// would have done: over everything from `start` on. The field holds the pseudo-header's sum. False: it lies outside.
pub(super) fn complete_checksum(frame: &mut [u8], start: u16, offset: u16) -> bool {
    let (start, offset) = (usize::from(start), usize::from(offset));
    let Some(covered) = frame.get(start..).filter(|c| c.len() >= offset + 2) else { return false };
    let mut sum: u64 = 0;
    let mut words = covered.chunks_exact(2);
    for word in &mut words {
        sum += u64::from(u16::from_be_bytes([word[0], word[1]]));
    }
    if let [last] = words.remainder() {
        sum += u64::from(*last) << 8;
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // RFC 768: a sum of 0 is sent as its other form; TCP takes either.
    let value = match !(sum as u16) {
        0 => 0xffff,
        value => value,
    };
    frame[start + offset..start + offset + 2].copy_from_slice(&value.to_be_bytes());
    true
}

/// Puts a VLAN tag behind the two addresses of the frame that starts at `room`. It has `room` bytes (4) before it;
/// the result starts at 0.
pub(super) fn insert_tag(buffer: &mut [u8], room: usize, kind: u16, tag: u16) -> bool {
    const ADDRESSES: usize = 12;
    if room != 4 || buffer.len() < room + ADDRESSES {
        return false;
    }
    buffer.copy_within(room..room + ADDRESSES, 0);
    buffer[ADDRESSES..ADDRESSES + 2].copy_from_slice(&kind.to_be_bytes());
    buffer[ADDRESSES + 2..ADDRESSES + 4].copy_from_slice(&tag.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_partial_checksum_is_completed() {
        // A UDP header with its pseudo-header's sum in the checksum: 10.0.0.1 to 10.0.0.2, 5 bytes of data.
        let mut frame = vec![0xee; 3];
        frame.extend([0x04, 0xd2, 0x00, 0x35, 0x00, 0x0d, 0x14, 0x21]);
        frame.extend(b"hello");
        assert!(complete_checksum(&mut frame, 3, 6));
        let sum = |bytes: &[u8]| {
            let words = bytes.chunks(2).map(|c| u32::from(c[0]) << 8 | u32::from(*c.get(1).unwrap_or(&0)));
            words.sum::<u32>()
        };
        // Pseudo-header and datagram sum up to all ones.
        let all = sum(&[10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 13]) + sum(&frame[3..]);
        assert_eq!((all & 0xffff) + (all >> 16), 0xffff);
        assert_eq!(&frame[..3], [0xee; 3]);
    }

    #[test]
    fn a_sum_of_zero_is_sent_as_all_ones() {
        let mut frame = [0xff, 0xff, 0, 0];
        assert!(complete_checksum(&mut frame, 0, 2));
        assert_eq!(frame, [0xff; 4]);
    }

    #[test]
    fn what_lies_outside_is_left_alone() {
        let mut frame = [1, 2, 3, 4];
        for (start, offset) in [(0, 3), (3, 0), (5, 0), (u16::MAX, u16::MAX)] {
            assert!(!complete_checksum(&mut frame, start, offset), "{start} {offset}");
        }
        assert_eq!(frame, [1, 2, 3, 4]);
        assert!(!insert_tag(&mut [0; 15], 4, 0x8100, 1));
    }

    #[test]
    fn a_tag_goes_behind_the_addresses() {
        let mut buffer = [[9; 4].as_slice(), &[1; 6], &[2; 6], &[8, 0], &[7; 3]].concat();
        assert!(insert_tag(&mut buffer, 4, 0x88a8, 0x2001));
        assert_eq!(buffer, [[1; 6].as_slice(), &[2; 6], &[0x88, 0xa8, 0x20, 1], &[8, 0], &[7; 3]].concat());
    }
}
