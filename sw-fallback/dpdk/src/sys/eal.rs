//! DPDK's environment: one for each process, started once.

use super::ffi;
use crate::error::DpdkError;
use libc::c_char;
use std::ffi::CString;
use std::sync::Mutex;

static STARTED: Mutex<Option<Result<(), String>>> = Mutex::new(None);

/// Starts DPDK's environment with so many megabytes, of ordinary pages, unless it runs already; the first call says how many.
///
/// # Errors
/// [`DpdkError::Environment`], the same one at each call.
pub fn start(megabytes: u32) -> Result<(), DpdkError> {
    let mut started = STARTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let result = started.get_or_insert_with(|| {
        // DPDK binds the thread that starts it to one CPU, and its children with it.
        let thread = std::thread::Builder::new().name("dpdk-eal".to_owned());
        let ran = thread.spawn(move || init(megabytes)).map_err(|e| format!("no thread: {e}"));
        ran.and_then(|it| it.join().unwrap_or_else(|_| Err("its thread panicked".to_owned())))
    });
    result.clone().map_err(DpdkError::Environment)
}

fn init(megabytes: u32) -> Result<(), String> {
    let cpu = first_cpu().ok_or("no CPU is allowed to this process")?;
    let words = [
        "guideway",
        "--no-huge",
        "--no-pci",
        "--no-shconf",
        "--no-telemetry",
        "--log-level",
        "lib.*:error",
        "-m",
        &megabytes.to_string(),
        "--lcores",
        &format!("0@{cpu}"),
    ]
    .map(|word| CString::new(word).unwrap_or_default());
    // DPDK keeps what it is given.
    let mut argv: Vec<*mut c_char> = words.into_iter().map(CString::into_raw).collect();
    let argc = argv.len() as libc::c_int;
    argv.push(std::ptr::null_mut());
    let argv: &'static mut [*mut c_char] = argv.leak();
    // SAFETY: as `main` gets them: `argc` strings that live for ever, then a null.
    match unsafe { ffi::rte_eal_init(argc, argv.as_mut_ptr()) } {
        0.. => Ok(()),
        _ => Err(format!(
            "with {megabytes} MB of ordinary memory on CPU {cpu}; DPDK has said why on standard error, in lines with EAL"
        )),
    }
}

/// The first CPU that this process may use.
fn first_cpu() -> Option<usize> {
    // SAFETY: a set of CPUs is plain bits, all of which may be 0.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set has the size that is given.
    let done = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    // SAFETY: the number is below the set's size.
    (0..libc::CPU_SETSIZE as usize).find(|cpu| done == 0 && unsafe { libc::CPU_ISSET(*cpu, &set) })
}
