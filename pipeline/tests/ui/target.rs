//! A target that does not exist.

#[guideway::pipeline(targets = [natvie])]
mod target {
    use guideway::headers::Ethernet;

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}

fn main() {}
