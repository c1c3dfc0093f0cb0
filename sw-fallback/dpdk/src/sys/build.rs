//! A `.spec`, told to SWX call by call.

use super::ffi::{self, FieldParams, LearnerParams, MatchFieldParams, RawPipeline, TableParams};
use crate::error::DpdkError;
use crate::spec::{Action, Instruction, Learner, Match, Spec, Table, Use};
use libc::{c_char, c_int};
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

/// The system's word for an error of DPDK's.
pub(super) fn why(code: c_int) -> String {
    std::io::Error::from_raw_os_error(code.saturating_abs()).to_string()
}

/// A name for C; the reader takes no zero bytes.
pub(super) fn c(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// Strings with the pointers to them.
struct Strings {
    _own: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let own: Vec<CString> = texts.into_iter().map(c).collect();
        let pointers = own.iter().map(|s| s.as_ptr()).collect();
        Self { _own: own, pointers }
    }

    fn len(&self) -> u32 {
        self.pointers.len() as u32
    }
}

/// The pointer, or none.
fn or_null(text: Option<&CString>) -> *const c_char {
    text.map_or(null(), |t| t.as_ptr())
}

/// Which actions a table has, and who may use them.
struct Uses {
    names: Strings,
    by_entries: Vec<c_int>,
    by_default: Vec<c_int>,
}

impl Uses {
    fn new(uses: &[Use]) -> Self {
        Self {
            names: Strings::new(uses.iter().map(|u| u.action.as_str())),
            by_entries: uses.iter().map(|u| u.by_entries.into()).collect(),
            by_default: uses.iter().map(|u| u.by_default.into()).collect(),
        }
    }
}

/// A pipeline that is being told.
pub(super) struct Builder<'a> {
    pub(super) raw: *mut RawPipeline,
    pub(super) spec: &'a Spec,
}

/// SWX's own `drop` gives the packet to DPDK's memory, which it doesn't come from; this port is ours.
const DROP: u32 = 255;

type Told = Result<(), DpdkError>;

fn said(line: u32, what: impl FnOnce() -> String, code: c_int) -> Told {
    match code {
        0 => Ok(()),
        _ => Err(DpdkError::Refused { line, what: what(), why: why(code) }),
    }
}

/// Refuses what DPDK 22.11 takes and does wrongly: two numbers change a register of the first array, whatever the name.
fn sound(instruction: &Instruction) -> Told {
    let words: Vec<&str> = instruction.text.split(' ').skip_while(|w| !w.starts_with("reg")).collect();
    let number = |w: &str| w.starts_with(|c: char| c.is_ascii_digit());
    match words.as_slice() {
        ["regadd" | "regwr", _, index, value] if number(index) && number(value) => Err(DpdkError::Refused {
            line: instruction.line,
            what: format!("`{}`", instruction.text),
            why: "index and value are both numbers, which DPDK takes for another array's".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Bytes of the metadata that DPDK 22.11's instructions find: they have 8 bits for a field's place, and drop the rest.
const METADATA: u32 = 256;

/// Refuses a field of the metadata that instructions would look for elsewhere.
fn in_reach(spec: &Spec) -> Told {
    let Some(of) = spec.metadata() else { return Ok(()) };
    match (0..of.fields.len()).find(|at| of.offset(*at) >= METADATA) {
        None => Ok(()),
        Some(at) => Err(DpdkError::Refused {
            line: of.fields[at].line,
            what: format!("the metadata, of {} bytes", of.bytes()),
            why: format!("instructions find the first {METADATA} bytes only"),
        }),
    }
}

impl Builder<'_> {
    /// All of it but ports and hash functions, which must be there before.
    pub(super) fn tell(&self) -> Told {
        self.spec.actions.iter().flat_map(|a| &a.body).chain(&self.spec.apply).try_for_each(sound)?;
        in_reach(self.spec)?;
        self.structs()?;
        // They are looked for by name, one after the other: the biggest, which are written most, come first.
        let mut registers: Vec<_> = self.spec.registers.iter().collect();
        registers.sort_by_key(|r| std::cmp::Reverse(r.size));
        for r in registers {
            let name = c(&r.name);
            // SAFETY: the pipeline lives; the name is a string.
            let code =
                unsafe { ffi::rte_swx_pipeline_regarray_config(self.raw, name.as_ptr(), r.size, r.initial) };
            said(r.line, || format!("regarray `{}`", r.name), code)?;
        }
        self.spec.actions.iter().try_for_each(|a| self.action(a))?;
        self.spec.tables.iter().try_for_each(|t| self.table(t))?;
        self.spec.learners.iter().try_for_each(|l| self.learner(l))?;
        self.apply()?;
        // SAFETY: the pipeline lives and is whole.
        said(0, || "the pipeline as a whole".to_owned(), unsafe { ffi::rte_swx_pipeline_build(self.raw) })
    }

    fn structs(&self) -> Told {
        for s in &self.spec.structs {
            let (name, names) = (c(&s.name), Strings::new(s.fields.iter().map(|f| f.name.as_str())));
            let both = names.pointers.iter().zip(&s.fields);
            let mut fields: Vec<FieldParams> =
                both.map(|(name, f)| FieldParams { name: *name, bits: f.bits }).collect();
            // SAFETY: the pipeline lives; all strings and the array outlive the call, which copies them.
            let code = unsafe {
                ffi::rte_swx_pipeline_struct_type_register(
                    self.raw,
                    name.as_ptr(),
                    fields.as_mut_ptr(),
                    names.len(),
                    0,
                )
            };
            said(s.line, || format!("struct `{}`", s.name), code)?;
        }
        for h in &self.spec.headers {
            let (name, of) = (c(&h.name), c(&h.of));
            // SAFETY: as above.
            let code =
                unsafe { ffi::rte_swx_pipeline_packet_header_register(self.raw, name.as_ptr(), of.as_ptr()) };
            said(h.line, || format!("header `{}` of `{}`", h.name, h.of), code)?;
        }
        let Some(metadata) = &self.spec.metadata else { return Ok(()) };
        let of = c(&metadata.of);
        // SAFETY: as above.
        let code = unsafe { ffi::rte_swx_pipeline_packet_metadata_register(self.raw, of.as_ptr()) };
        said(metadata.line, || format!("metadata of `{}`", metadata.of), code)
    }

    fn configure_action(&self, name: &str, args: Option<&str>, body: &mut Strings) -> c_int {
        let (name, args) = (c(name), args.map(c));
        // SAFETY: the pipeline lives; all strings outlive the call, which copies them.
        unsafe {
            ffi::rte_swx_pipeline_action_config(
                self.raw,
                name.as_ptr(),
                or_null(args.as_ref()),
                body.pointers.as_mut_ptr(),
                body.len(),
            )
        }
    }

    fn action(&self, action: &Action) -> Told {
        let args = action.args.as_deref();
        let mut body = Strings::new(action.body.iter().map(|i| i.text.as_str()));
        let code = self.configure_action(&action.name, args, &mut body);
        let what = || format!("action `{}`", action.name);
        if code == 0 || code == -libc::EEXIST {
            return said(action.line, what, code);
        }
        // SWX doesn't say which instruction: each is asked about alone.
        let alone = |texts: &[String], number: usize| {
            let mut body = Strings::new(texts.iter().map(String::as_str));
            self.configure_action(&format!("alone{number}"), args, &mut body)
        };
        match first_refused(&action.body, "return", &[], alone) {
            Some((i, code)) => said(i.line, || format!("`{}` in action `{}`", i.text, action.name), code),
            None => said(action.line, what, code),
        }
    }

    fn apply(&self) -> Told {
        let configure = |texts: &[&str]| {
            let mut body = Strings::new(texts.iter().copied());
            // SAFETY: the pipeline lives; all strings outlive the call, which copies them.
            unsafe {
                ffi::rte_swx_pipeline_instructions_config(self.raw, body.pointers.as_mut_ptr(), body.len())
            }
        };
        let drops = |text: &str| text == "drop" || text.ends_with(" : drop");
        let text = |i: &Instruction| match drops(&i.text) {
            true => format!("{}tx {DROP}", i.text.trim_end_matches("drop")),
            false => i.text.clone(),
        };
        let texts: Vec<String> = self.spec.apply.iter().map(text).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let code = configure(&texts);
        if code == 0 {
            return Ok(());
        }
        let receive = texts.iter().find(|t| t.starts_with("rx ")).map(|t| (*t).to_owned());
        let first = receive.as_slice();
        let alone = |texts: &[String], _| configure(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let line = self.spec.apply.first().map_or(0, |i| i.line);
        match first_refused(&self.spec.apply, "drop", first, alone) {
            Some((i, code)) => said(i.line, || format!("`{}`", i.text), code),
            None => said(line, || "the instructions of `apply`, taken together".to_owned(), code),
        }
    }

    fn table(&self, table: &Table) -> Told {
        let name = c(&table.name);
        let keys = Strings::new(table.keys.iter().map(|k| k.field.as_str()));
        let kind = |m: Match| match m {
            Match::Wildcard => 0,
            Match::Lpm => 1,
            Match::Exact => 2,
        };
        let both = keys.pointers.iter().zip(&table.keys);
        let mut fields: Vec<MatchFieldParams> =
            both.map(|(name, key)| MatchFieldParams { name: *name, kind: kind(key.kind) }).collect();
        let mut uses = Uses::new(&table.actions);
        let (default, args) = (c(&table.default.action), table.default.args.as_deref().map(c));
        let hash = table.hash.as_deref().map(c);
        let mut params = TableParams {
            fields: if fields.is_empty() { null_mut() } else { fields.as_mut_ptr() },
            n_fields: keys.len(),
            action_names: uses.names.pointers.as_mut_ptr(),
            by_entries: uses.by_entries.as_mut_ptr(),
            by_default: uses.by_default.as_mut_ptr(),
            n_actions: uses.names.len(),
            default_action: default.as_ptr(),
            default_args: or_null(args.as_ref()),
            default_is_const: table.default.is_const.into(),
            hash: or_null(hash.as_ref()),
        };
        // SAFETY: the pipeline lives; all strings and arrays outlive the call, which copies them.
        let code = unsafe {
            ffi::rte_swx_pipeline_table_config(
                self.raw,
                name.as_ptr(),
                &raw mut params,
                null(),
                null(),
                table.size,
            )
        };
        said(table.line, || format!("table `{}`", table.name), code)
    }

    fn learner(&self, learner: &Learner) -> Told {
        let name = c(&learner.name);
        let mut keys = Strings::new(learner.keys.iter().map(String::as_str));
        let mut uses = Uses::new(&learner.actions);
        let (default, args) = (c(&learner.default.action), learner.default.args.as_deref().map(c));
        let hash = learner.hash.as_deref().map(c);
        let mut params = LearnerParams {
            field_names: keys.pointers.as_mut_ptr(),
            n_fields: keys.len(),
            action_names: uses.names.pointers.as_mut_ptr(),
            by_entries: uses.by_entries.as_mut_ptr(),
            by_default: uses.by_default.as_mut_ptr(),
            n_actions: uses.names.len(),
            default_action: default.as_ptr(),
            default_args: or_null(args.as_ref()),
            default_is_const: learner.default.is_const.into(),
            hash: or_null(hash.as_ref()),
        };
        let mut timeouts = learner.timeouts.clone();
        // SAFETY: the pipeline lives; all strings and arrays outlive the call, which copies them.
        let code = unsafe {
            ffi::rte_swx_pipeline_learner_config(
                self.raw,
                name.as_ptr(),
                &raw mut params,
                learner.size,
                timeouts.as_mut_ptr(),
                timeouts.len() as u32,
            )
        };
        said(learner.line, || format!("learner `{}`", learner.name), code)
    }
}

/// The first instruction that is refused even alone, between `first` and `last`, where it may jump to.
fn first_refused<'a>(
    body: &'a [Instruction],
    last: &str,
    first: &[String],
    alone: impl Fn(&[String], usize) -> c_int,
) -> Option<(&'a Instruction, c_int)> {
    let ask = |(number, instruction): (usize, &'a Instruction)| {
        let text = match instruction.text.split_once(" : ") {
            Some((_label, text)) => text,
            None => &instruction.text,
        };
        let words: Vec<&str> = text.split(' ').collect();
        if matches!(words.first(), Some(&("rx" | "tx" | "drop" | "return")) | None) {
            return None;
        }
        let end = match words.as_slice() {
            [jump, label, ..] if jump.starts_with("jmp") => format!("{label} : {last}"),
            _ => last.to_owned(),
        };
        let texts: Vec<String> = first.iter().cloned().chain([text.to_owned(), end]).collect();
        let code = alone(&texts, number);
        (code != 0 && code != -libc::ENOMEM).then_some((instruction, code))
    };
    body.iter().enumerate().find_map(ask)
}

/// Registers a hash function.
pub(super) fn hash(raw: *mut RawPipeline, name: &CStr, function: ffi::HashFunction) -> Told {
    // SAFETY: the pipeline lives; the function is one for ever.
    let code = unsafe { ffi::rte_swx_pipeline_hash_func_register(raw, name.as_ptr(), function) };
    said(0, || format!("hash function {name:?}"), code)
}
