//! VLAN tags: taken off, changed, put on, by port and tag.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod vlan {
    use guideway::headers::{Ethernet, Vlan};

    struct Headers {
        eth: Ethernet,
        tag: Vlan,
    }

    struct Meta {
        id: bit<12>,
    }

    enum Reason {
        Cut,
        UnknownVlan,
    }

    struct PortKey {
        #[exact]
        port: bit<32>,
        #[exact]
        id: bit<12>,
    }
    enum PortAction {
        Untag { port: bit<32> },
        Tag { port: bit<32>, id: bit<12>, pcp: bit<3> },
        Retag { port: bit<32>, id: bit<12> },
        #[default_only]
        Unknown,
    }
    #[table(size = 4096, counters = both)]
    static VLANS: Table<PortKey, PortAction> = Unknown;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x8100 => tag,
            _ => accept,
        }
    }

    #[state]
    fn tag(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.tag);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.eth.is_valid() || h.eth.ethertype == 0x8100 && !h.tag.is_valid() {
            return drop(Cut);
        }
        if h.tag.is_valid() {
            m.id = h.tag.id;
        }
        match VLANS.apply(PortKey { port: INGRESS_PORT, id: m.id }) {
            Untag { port } => {
                if h.tag.is_valid() {
                    h.eth.ethertype = h.tag.ethertype;
                    h.tag.pop();
                }
                forward(port)
            }
            Tag { port, id, pcp } => {
                if h.tag.is_valid() {
                    h.tag.id = id;
                    h.tag.pcp = pcp;
                } else {
                    h.tag.push(Vlan { pcp: pcp, dei: 0, id: id, ethertype: h.eth.ethertype });
                    h.eth.ethertype = 0x8100;
                }
                forward(port)
            }
            Retag { port, id } => {
                h.tag.id = id;
                forward(port)
            }
            Unknown => drop(UnknownVlan),
        }
    }
}
