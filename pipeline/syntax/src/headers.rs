//! The standard headers: DSL text like a user's own. Only those that a pipeline names become part of its IR.

use syn::{Item, ItemStruct};

/// The standard headers as source: `#[header] struct ...`, with the RFC of each.
pub const TEXT: &str = include_str!("headers/standard.rs");

/// The declarations in [`TEXT`].
pub(crate) fn structs() -> Vec<ItemStruct> {
    let items = syn::parse_str::<syn::File>(TEXT).map(|f| f.items).unwrap_or_default();
    items.into_iter().filter_map(|i| if let Item::Struct(s) = i { Some(s) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_standard_headers_parse() {
        let names: Vec<String> = super::structs().iter().map(|s| s.ident.to_string()).collect();
        assert_eq!(names.len(), super::TEXT.matches("#[header]").count());
        assert!(names.contains(&"Ethernet".to_owned()));
    }
}
