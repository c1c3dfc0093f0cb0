//! Why a snapshot is not taken.

use thiserror::Error;

/// What is wrong with a snapshot, in words for the alarm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Refusal {
    #[error("version {offered} came after version {held}")]
    Older { held: u64, offered: u64 },
    #[error("pool {pool}: version {offered} came after version {held}")]
    PoolOlder { pool: u32, held: u64, offered: u64 },
    #[error("pool {pool}: generation {offered} came after generation {held}")]
    GenerationOlder { pool: u32, held: u64, offered: u64 },
    #[error("pool {pool}: two tables are called generation {generation}")]
    GenerationTwice { pool: u32, generation: u64 },
    #[error("pool {pool} is listed, and nothing is known of it")]
    Missing { pool: u32 },
    #[error("pool {pool} is there, and not listed")]
    Unlisted { pool: u32 },
    #[error("pool {pool} is there twice")]
    PoolTwice { pool: u32 },
    #[error("pools {first} and {second} are both called `{name}`")]
    NameTwice { first: u32, second: u32, name: String },
    #[error("pool number {number}: it has 16 bits, and is not 0")]
    PoolNumber { number: u32 },
    #[error("pool {pool}: the table has {bytes} bytes, which are no slots of four bytes each")]
    Bytes { pool: u32, bytes: usize },
    #[error("pool {pool}: {slots} slots: {reason}")]
    Size { pool: u32, slots: usize, reason: String },
    #[error("pool {pool}: the table's homes or claims: {reason}")]
    Claims { pool: u32, reason: String },
    #[error("pool {pool}: the table's digest is {actual:016x}, not {stated:016x}")]
    Digest { pool: u32, stated: u64, actual: u64 },
    #[error("pool {pool}: backend {id:#x} has {actual} slots, and {stated} by its share")]
    Share { pool: u32, id: u32, stated: u32, actual: u32 },
    #[error("pool {pool}: backend {id:#x} of weight {weight} gets {due} slots, not {stated}")]
    Weight { pool: u32, id: u32, weight: u32, due: u32, stated: u32 },
    #[error("pool {pool}: the share of backend {id:#x} is there twice")]
    ShareTwice { pool: u32, id: u32 },
    #[error("pool {pool}: the table has backend {id:#x}, of which there is no share")]
    NoShare { pool: u32, id: u32 },
    #[error("pool {pool}: the table has backend {id:#x}, which the pool has not")]
    Unknown { pool: u32, id: u32 },
    #[error("pool {pool}: backend id {id:#x}: it has 24 bits, and is not 0")]
    Id { pool: u32, id: u32 },
    #[error("backends {first:#x} and {second:#x} have one place in the table")]
    Place { first: u32, second: u32 },
    #[error("pool {pool}: backend {id:#x}: `{text}` is no address of a backend")]
    BackendAddress { pool: u32, id: u32, text: String },
    #[error("VIP `{text}` is no address of a service")]
    VipAddress { text: String },
    #[error("VIP {vip}: protocol {protocol} is neither TCP nor UDP")]
    Protocol { vip: String, protocol: i32 },
    #[error("VIP {vip}: port {port} has more than 16 bits")]
    Port { vip: String, port: u32 },
    #[error("VIP {vip}: number {number}: it has 16 bits, and is not 0")]
    VipNumber { vip: String, number: u32 },
    #[error("VIP {vip}: there is no time-out class {class}")]
    Class { vip: String, class: u32 },
    #[error("VIP {vip}: there is no pool `{pool}`")]
    NoPool { vip: String, pool: String },
    #[error("VIP {vip} is there twice")]
    VipTwice { vip: String },
    #[error("VIPs {first} and {second} both have number {number}")]
    VipNumberTwice { first: String, second: String, number: u32 },
    #[error("VIP {vip} is IPv6, and its pool `{pool}` has the IPv4 backend {id:#x} in its table")]
    Family { vip: String, pool: String, id: u32 },
}
