//! Programs are read, and what is none is refused with its line.
#![allow(clippy::unwrap_used)]

use dpdk_switch::spec::{Match, Spec, parse};

const PROGRAM: &str = include_str!("hosts.spec");

#[test]
fn a_program_is_read_whole() {
    let spec = parse(PROGRAM).unwrap();
    let names = |spec: &Spec| spec.structs.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        names(&spec),
        "preamble_t eth_t host__key_t host__out_args host__block_args kind__key_t kind__count_args meta_t"
    );
    assert_eq!(spec.header("eth").unwrap().bytes(), 14);
    let (of, offset, field) = spec.field("h.eth.ethertype").unwrap();
    assert_eq!((of.name.as_str(), offset, field.bits), ("eth_t", 12, 16));
    let (_, offset, field) = spec.field("m.in_port").unwrap();
    assert_eq!((offset, field.bits), (4, 32));
    assert!(spec.field("t.port").is_none() && spec.field("h.eth").is_none() && spec.field("h.x.y").is_none());
    let table = &spec.tables[1];
    assert_eq!((table.keys[0].kind, table.size, table.default.is_const), (Match::Wildcard, 4, true));
    assert!(table.actions[0].by_entries && table.actions[0].by_default);
    assert!(!table.actions[1].by_entries && table.actions[1].by_default);
    assert_eq!(spec.actions[0].body[0].text, "mov m.out_port t.port");
    assert_eq!(spec.apply[0].text, "rx m.in_port");
    assert_eq!(spec.apply.last().unwrap().text, "drop");
}

#[test]
fn a_learner_is_read() {
    let text =
        "learner flows {\n key {\n  m.a\n  m.b\n }\n actions {\n  seen @tableonly\n  new @defaultonly\n }
 default_action new args x 0x10 y 2 const ; a comment\n size 0x40\n timeout {\n  10\n  0x20\n }\n}
apply {\n rx m.p\n L : drop // and another\n}\n";
    let spec = parse(text).unwrap();
    let learner = &spec.learners[0];
    assert_eq!((learner.keys.join(" ").as_str(), learner.size), ("m.a m.b", 64));
    assert_eq!((learner.timeouts.as_slice(), learner.line), (&[10, 32][..], 1));
    assert_eq!(learner.default.args.as_deref(), Some("x 0x10 y 2"));
    assert!(learner.default.is_const);
    assert_eq!(spec.apply[1].text, "L : drop");
}

#[test]
fn what_is_no_program_is_refused_with_its_line() {
    for (text, line, word) in [
        ("", 1, "apply"),
        ("apply {\n}\n", 2, "apply"),
        ("struct a {\n bit<8> x\n", 1, "no end"),
        ("struct a {\n bit<7> x\n}\n", 2, "multiple of 8"),
        ("struct a {\n bit<0> x\n}\n", 2, "multiple of 8"),
        ("struct a {\n bit<4294967304> x\n}\n", 2, "multiple of 8"),
        ("struct a {\n int<8> x\n}\n", 2, "is no type"),
        ("struct a {\n bit<8>\n}\n", 2, "a field is"),
        ("struct a {\n bit<8> x\n bit<8> x\n}\n", 3, "twice"),
        ("struct a {\n}\n", 1, "no fields"),
        ("\nheader h of t\n", 2, "no whole `header`"),
        ("metadata instanceof m\nmetadata instanceof m\n", 2, "twice"),
        ("regarray r size 4294967296 initval 0\n", 1, "32 bits"),
        ("regarray r size -1 initval 0\n", 1, "no number"),
        ("regarray r size 1 initval 0x1ffffffffffffffff\n", 1, "no number"),
        ("table t {\n size 1\n}\n", 1, "lacks `actions`"),
        ("table t {\n colour red\n}\n", 2, "no `colour`"),
        ("table t {\n key {\n  m.a ternary\n }\n}\n", 3, "wildcard"),
        ("table t {\n actions {\n  a b\n }\n}\n", 3, "@tableonly"),
        ("table t {\n default_action a\n}\n", 2, "default_action"),
        ("table t {\n default_action a args\n}\n", 2, "args none"),
        ("learner l {\n key {\n  a\n }\n}\n", 1, "lacks `actions`"),
        ("selector s {\n", 1, "selector"),
        ("metarray m size 4\n", 1, "metarray"),
        ("hello\n", 1, "begins no statement"),
        ("apply {\n rx m.p\n}\napply {\n}\n", 4, "twice"),
        ("apply {\n a b c d e f g h i j k l m n o p q\n}\n", 2, "16 words"),
        ("header a\u{1b} instanceof b\n", 1, "no program has"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(error.what.contains(word), "{text:?}: {error}");
    }
    let long = format!("struct {} {{\n bit<8> x\n}}\n", "n".repeat(64));
    assert!(parse(&long).unwrap_err().what.contains("63 bytes"));
    let long = format!("; {}\n", "n".repeat(2048));
    assert!(parse(&long).unwrap_err().what.contains("2047"));
}

/// Lines of a program, shuffled, cut and bent, and bytes of any kind.
#[test]
fn anything_is_read_or_refused() {
    let lines: Vec<&str> = PROGRAM.lines().collect();
    fuzz::target!(20_000, |input: &[u8]| {
        let mut text = String::new();
        for pair in input.chunks(2) {
            let line = lines[usize::from(pair[0]) % lines.len()];
            match pair.get(1) {
                Some(cut) if cut % 4 == 0 => text.push_str(&line[..usize::from(*cut) % (line.len() + 1)]),
                Some(cut) if cut % 4 == 1 => text.push(char::from(*cut)),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        for text in [text, String::from_utf8_lossy(input).into_owned()] {
            if let Ok(spec) = parse(&text) {
                assert!(!spec.apply.is_empty());
                spec.structs.iter().for_each(|s| assert!(s.bytes() > 0));
            }
        }
    });
}
