//! Architectures as data: what a program must declare, and what it may name.

pub mod v1model;

use crate::ast::{Direction, Param, Type};

/// A programmable block of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its role: `ingress`.
    pub role: &'static str,
    /// `parser` instead of `control`.
    pub parser: bool,
    /// Its parameters in order.
    pub params: &'static [BlockParam],
}

/// A parameter of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockParam {
    /// Which way its value goes.
    pub direction: Option<Direction>,
    /// Its type.
    pub ty: ParamType,
}

/// The type of a block's parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// The program's struct of headers.
    Headers,
    /// The program's struct of metadata.
    Metadata,
    /// A type of the architecture or of `core.p4`.
    Own(&'static str),
}

/// A field of the metadata that an architecture defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataField {
    /// Its name.
    pub name: &'static str,
    /// Bits; `None` for an `error`.
    pub bits: Option<u32>,
    /// A program may write it and something comes of it.
    pub writable: bool,
}

impl Block {
    /// Its parameters, for a program whose structs of headers and metadata have the names given.
    /// `names` are those of the parameters; parameters beyond them are called `p0`, `p1` and so on.
    pub fn params(&self, headers: &str, metadata: &str, names: &[&str]) -> Vec<Param> {
        let named = |(i, param): (usize, &BlockParam)| Param {
            annotations: Vec::new(),
            direction: param.direction,
            ty: Type::named(match param.ty {
                ParamType::Headers => headers,
                ParamType::Metadata => metadata,
                ParamType::Own(name) => name,
            }),
            name: names.get(i).map_or_else(|| format!("p{i}"), |name| (*name).to_owned()),
        };
        self.params.iter().enumerate().map(named).collect()
    }
}
