//! DPDK 22.11's functions and structs, as far as they are called here (`rte_eal.h`, `rte_swx_pipeline.h`, `rte_swx_ctl.h`,
//! `rte_swx_table.h`, `rte_swx_port.h`).

use libc::{c_char, c_int, c_void};

/// An opaque `struct rte_swx_pipeline`.
#[repr(C)]
pub(super) struct RawPipeline {
    _opaque: [u8; 0],
}

/// An opaque `struct rte_swx_ctl_pipeline`.
#[repr(C)]
pub(super) struct RawControl {
    _opaque: [u8; 0],
}

#[repr(C)]
pub(super) struct Packet {
    pub(super) handle: *mut c_void,
    pub(super) data: *mut u8,
    pub(super) offset: u32,
    pub(super) length: u32,
}

#[repr(C)]
pub(super) struct PortInStats {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) empty: u64,
}

#[repr(C)]
pub(super) struct PortOutStats {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) dropped_packets: u64,
    pub(super) dropped_bytes: u64,
    pub(super) cloned: u64,
    pub(super) not_cloned: u64,
}

#[repr(C)]
pub(super) struct PortInOps {
    pub(super) create: extern "C" fn(*mut c_void) -> *mut c_void,
    pub(super) free: extern "C" fn(*mut c_void),
    pub(super) receive: unsafe extern "C" fn(*mut c_void, *mut Packet) -> c_int,
    pub(super) stats: unsafe extern "C" fn(*mut c_void, *mut PortInStats),
}

#[repr(C)]
pub(super) struct PortOutOps {
    pub(super) create: extern "C" fn(*mut c_void) -> *mut c_void,
    pub(super) free: extern "C" fn(*mut c_void),
    pub(super) transmit: unsafe extern "C" fn(*mut c_void, *mut Packet),
    pub(super) fast_clone: extern "C" fn(*mut c_void, *mut Packet),
    pub(super) clone: extern "C" fn(*mut c_void, *mut Packet, u32),
    pub(super) flush: extern "C" fn(*mut c_void),
    pub(super) stats: unsafe extern "C" fn(*mut c_void, *mut PortOutStats),
}

#[repr(C)]
pub(super) struct FieldParams {
    pub(super) name: *const c_char,
    pub(super) bits: u32,
}

#[repr(C)]
pub(super) struct MatchFieldParams {
    pub(super) name: *const c_char,
    /// `enum rte_swx_table_match_type`.
    pub(super) kind: c_int,
}

#[repr(C)]
pub(super) struct TableParams {
    pub(super) fields: *mut MatchFieldParams,
    pub(super) n_fields: u32,
    pub(super) action_names: *mut *const c_char,
    pub(super) by_entries: *mut c_int,
    pub(super) by_default: *mut c_int,
    pub(super) n_actions: u32,
    pub(super) default_action: *const c_char,
    pub(super) default_args: *const c_char,
    pub(super) default_is_const: c_int,
    pub(super) hash: *const c_char,
}

#[repr(C)]
pub(super) struct LearnerParams {
    pub(super) field_names: *mut *const c_char,
    pub(super) n_fields: u32,
    pub(super) action_names: *mut *const c_char,
    pub(super) by_entries: *mut c_int,
    pub(super) by_default: *mut c_int,
    pub(super) n_actions: u32,
    pub(super) default_action: *const c_char,
    pub(super) default_args: *const c_char,
    pub(super) default_is_const: c_int,
    pub(super) hash: *const c_char,
}

#[repr(C)]
pub(super) struct TableEntry {
    /// Links of a list, DPDK's own.
    pub(super) links: [*mut c_void; 2],
    pub(super) key: *mut u8,
    pub(super) mask: *mut u8,
    pub(super) signature: u64,
    /// 0 is the highest.
    pub(super) priority: u32,
    pub(super) action: u64,
    pub(super) data: *mut u8,
}

/// What a kind of tables can do.
#[repr(C)]
pub(super) struct TableOps {
    pub(super) footprint: *const c_void,
    pub(super) mailbox: *const c_void,
    pub(super) create: *const c_void,
    /// Null: a table is built anew at each change.
    pub(super) add: *const c_void,
    pub(super) delete: *const c_void,
    pub(super) lookup: *const c_void,
    pub(super) free: *const c_void,
}

#[repr(C)]
pub(super) struct TableState {
    pub(super) object: *mut c_void,
    pub(super) default_action: u64,
    pub(super) default_data: *mut u8,
}

pub(super) type HashFunction = unsafe extern "C" fn(*const c_void, u32, u32) -> u32;

// `librte_eal`
unsafe extern "C" {
    pub(super) fn rte_eal_init(argc: c_int, argv: *mut *mut c_char) -> c_int;
}

// `librte_pipeline`
unsafe extern "C" {
    pub(super) fn rte_swx_pipeline_config(
        p: *mut *mut RawPipeline,
        name: *const c_char,
        node: c_int,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_port_in_type_register(
        p: *mut RawPipeline,
        name: *const c_char,
        ops: *mut PortInOps,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_port_in_config(
        p: *mut RawPipeline,
        port: u32,
        kind: *const c_char,
        args: *mut c_void,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_port_out_type_register(
        p: *mut RawPipeline,
        name: *const c_char,
        ops: *mut PortOutOps,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_port_out_config(
        p: *mut RawPipeline,
        port: u32,
        kind: *const c_char,
        args: *mut c_void,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_hash_func_register(
        p: *mut RawPipeline,
        name: *const c_char,
        function: HashFunction,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_struct_type_register(
        p: *mut RawPipeline,
        name: *const c_char,
        fields: *mut FieldParams,
        n_fields: u32,
        last_varies: c_int,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_packet_header_register(
        p: *mut RawPipeline,
        name: *const c_char,
        of: *const c_char,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_packet_metadata_register(p: *mut RawPipeline, of: *const c_char) -> c_int;
    pub(super) fn rte_swx_pipeline_regarray_config(
        p: *mut RawPipeline,
        name: *const c_char,
        size: u32,
        initial: u64,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_action_config(
        p: *mut RawPipeline,
        name: *const c_char,
        args: *const c_char,
        instructions: *mut *const c_char,
        n_instructions: u32,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_table_config(
        p: *mut RawPipeline,
        name: *const c_char,
        params: *mut TableParams,
        recommended: *const c_char,
        args: *const c_char,
        size: u32,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_learner_config(
        p: *mut RawPipeline,
        name: *const c_char,
        params: *mut LearnerParams,
        size: u32,
        timeouts: *mut u32,
        n_timeouts: u32,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_instructions_config(
        p: *mut RawPipeline,
        instructions: *mut *const c_char,
        n_instructions: u32,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_build(p: *mut RawPipeline) -> c_int;
    pub(super) fn rte_swx_pipeline_run(p: *mut RawPipeline, n_instructions: u32);
    pub(super) fn rte_swx_pipeline_free(p: *mut RawPipeline);

    pub(super) fn rte_swx_ctl_pipeline_create(p: *mut RawPipeline) -> *mut RawControl;
    pub(super) fn rte_swx_ctl_table_ops_get(
        p: *mut RawPipeline,
        table: u32,
        ops: *mut TableOps,
        is_stub: *mut c_int,
    ) -> c_int;
    pub(super) fn rte_swx_pipeline_table_state_get(
        p: *mut RawPipeline,
        states: *mut *mut TableState,
    ) -> c_int;
    pub(super) fn rte_swx_ctl_pipeline_free(c: *mut RawControl);
    pub(super) fn rte_swx_ctl_pipeline_table_entry_add(
        c: *mut RawControl,
        table: *const c_char,
        entry: *mut TableEntry,
    ) -> c_int;
    pub(super) fn rte_swx_ctl_pipeline_table_entry_delete(
        c: *mut RawControl,
        table: *const c_char,
        entry: *mut TableEntry,
    ) -> c_int;
    pub(super) fn rte_swx_ctl_pipeline_commit(c: *mut RawControl, abort_on_fail: c_int) -> c_int;
    pub(super) fn rte_swx_ctl_pipeline_abort(c: *mut RawControl);
    pub(super) fn rte_swx_ctl_pipeline_regarray_read(
        p: *mut RawPipeline,
        name: *const c_char,
        index: u32,
        value: *mut u64,
    ) -> c_int;
    pub(super) fn rte_swx_ctl_pipeline_regarray_write(
        p: *mut RawPipeline,
        name: *const c_char,
        index: u32,
        value: u64,
    ) -> c_int;
}
