//! What the compiler shows of a pipeline under the macro: errors at their places, bindings with their types.

#[test]
fn errors_stand_at_their_places() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/bindings.rs");
    cases.pass("tests/ui/program.rs");
    cases.compile_fail("tests/ui/types.rs");
    cases.compile_fail("tests/ui/meaning.rs");
    cases.compile_fail("tests/ui/target.rs");
}
