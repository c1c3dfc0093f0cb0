//! Neither headers, nor a first state, nor a control.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    const LIMIT: u32 = 1;
}
