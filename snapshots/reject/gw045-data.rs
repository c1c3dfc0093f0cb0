//! Checksums take whole 16-bit words, hashes whole bytes.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    const HASH: HashAlgorithm = Crc32;

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        let a = internet_checksum(h.eth.dst.bits(40, 0));
        let b = HASH.of(7, (h.eth.dst.bits(40, 0), h.eth.src));
        h.eth.ethertype = a;
        forward(b)
    }
}
