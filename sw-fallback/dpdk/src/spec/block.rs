//! Statements and blocks.

use super::line::{Line, lines};
use super::{
    Action, Default, Field, Header, Instruction, Key, Learner, Match, Metadata, Registers, Spec, SpecError,
    Struct, Table, Use,
};

/// Reads a `.spec`.
///
/// # Errors
/// [`SpecError`]: the first line that can't be read.
pub fn parse(text: &str) -> Result<Spec, SpecError> {
    let lines = lines(text)?;
    let mut reader = Reader { lines: lines.iter() };
    let mut spec = Spec::default();
    while let Some(line) = reader.lines.next() {
        reader.statement(line, &mut spec)?;
    }
    match spec.apply.is_empty() {
        false => Ok(spec),
        true => Err(SpecError::at(
            lines.last().map_or(1, |l| l.number),
            "there is no `apply { .. }` with instructions",
        )),
    }
}

struct Reader<'a> {
    lines: std::slice::Iter<'a, Line<'a>>,
}

impl<'a> Reader<'a> {
    fn statement(&mut self, line: &'a Line<'a>, spec: &mut Spec) -> Result<(), SpecError> {
        match line.words.as_slice() {
            ["struct", name, "{"] => spec.structs.push(self.structure(line, name)?),
            ["header", name, "instanceof", of] => {
                spec.headers.push(Header { line: line.number, name: line.name(name)?, of: line.name(of)? });
            }
            ["metadata", "instanceof", of] if spec.metadata.is_none() => {
                spec.metadata = Some(Metadata { line: line.number, of: line.name(of)? });
            }
            ["metadata", ..] if spec.metadata.is_some() => {
                return Err(line.wrong("the metadata is declared twice"));
            }
            ["regarray", name, "size", size, "initval", initial] => {
                let (size, initial) = (line.number32(size)?, line.number(initial)?);
                spec.registers.push(Registers { line: line.number, name: line.name(name)?, size, initial });
            }
            ["action", name, "args", "none", "{"] => spec.actions.push(self.action(line, name, None)?),
            ["action", name, "args", "instanceof", of, "{"] => {
                spec.actions.push(self.action(line, name, Some(line.name(of)?))?);
            }
            ["table", name, "{"] => spec.tables.push(self.table(line, name)?),
            ["learner", name, "{"] => spec.learners.push(self.learner(line, name)?),
            ["apply", "{"] if spec.apply.is_empty() => spec.apply = self.instructions(line)?,
            ["apply", "{"] => return Err(line.wrong("`apply` stands twice")),
            [kind @ ("extobj" | "selector" | "metarray"), ..] => {
                return Err(line.wrong(format!("`{kind}` is not used by our programs and not loaded here")));
            }
            [
                kind @ ("struct" | "header" | "metadata" | "regarray" | "action" | "table" | "learner"
                | "apply"),
                ..,
            ] => return Err(line.wrong(format!("this is no whole `{kind}` statement"))),
            [word, ..] => return Err(line.wrong(format!("`{word}` begins no statement"))),
            [] => {}
        }
        Ok(())
    }

    /// The next line of a block; none: the block ends.
    fn within(&mut self, block: &Line<'_>) -> Result<Option<&'a Line<'a>>, SpecError> {
        match self.lines.next() {
            None => Err(block.wrong(format!("`{}` has no end `}}`", block.words.join(" ")))),
            Some(line) if line.words == ["}"] => Ok(None),
            Some(line) => Ok(Some(line)),
        }
    }

    fn structure(&mut self, block: &Line<'_>, name: &str) -> Result<Struct, SpecError> {
        let mut fields: Vec<Field> = Vec::new();
        while let Some(line) = self.within(block)? {
            let [kind, name] = line.words.as_slice() else {
                return Err(line.wrong("a field is `bit<N> NAME`"));
            };
            let field = Field { line: line.number, bits: line.bits(kind)?, name: line.name(name)? };
            if fields.iter().any(|f| f.name == field.name) {
                return Err(line.wrong(format!("field `{name}` stands twice")));
            }
            fields.push(field);
        }
        if fields.is_empty() {
            return Err(block.wrong(format!("struct `{name}` has no fields")));
        }
        Ok(Struct { line: block.number, name: block.name(name)?, fields })
    }

    fn instructions(&mut self, block: &Line<'_>) -> Result<Vec<Instruction>, SpecError> {
        let mut all = Vec::new();
        while let Some(line) = self.within(block)? {
            // What DPDK's own buffers hold.
            let text = line.words.join(" ");
            if text.len() > 255 || line.words.len() > 16 {
                return Err(line.wrong("an instruction has 16 words and 255 bytes at most"));
            }
            all.push(Instruction { line: line.number, text });
        }
        Ok(all)
    }

    fn action(&mut self, block: &Line<'_>, name: &str, args: Option<String>) -> Result<Action, SpecError> {
        let (line, name) = (block.number, block.name(name)?);
        Ok(Action { line, name, args, body: self.instructions(block)? })
    }

    fn table(&mut self, block: &Line<'_>, name: &str) -> Result<Table, SpecError> {
        let mut table = Table { line: block.number, name: block.name(name)?, ..Table::default() };
        while let Some(line) = self.within(block)? {
            match line.words.as_slice() {
                ["key", "{"] => table.keys = self.keys(line)?,
                ["actions", "{"] => table.actions = self.uses(line)?,
                ["default_action", ..] => table.default = default(line)?,
                ["hash", name] => table.hash = Some(line.name(name)?),
                ["size", size] => table.size = line.number32(size)?,
                [word, ..] => return Err(line.wrong(format!("a table has no `{word}` here"))),
                [] => {}
            }
        }
        let needs = [("actions", table.actions.is_empty()), ("default_action", table.default.line == 0)];
        missing(block, &needs)?;
        Ok(table)
    }

    fn learner(&mut self, block: &Line<'_>, name: &str) -> Result<Learner, SpecError> {
        let mut learner = Learner { line: block.number, name: block.name(name)?, ..Learner::default() };
        while let Some(line) = self.within(block)? {
            match line.words.as_slice() {
                ["key", "{"] => {
                    let fields = self.list(line)?.into_iter();
                    learner.keys = fields.map(|(line, field)| line.name(field)).collect::<Result<_, _>>()?;
                }
                ["actions", "{"] => learner.actions = self.uses(line)?,
                ["default_action", ..] => learner.default = default(line)?,
                ["hash", name] => learner.hash = Some(line.name(name)?),
                ["size", size] => learner.size = line.number32(size)?,
                ["timeout", "{"] => learner.timeouts = self.timeouts(line)?,
                [word, ..] => return Err(line.wrong(format!("a learner has no `{word}` here"))),
                [] => {}
            }
        }
        let needs = [
            ("key", learner.keys.is_empty()),
            ("actions", learner.actions.is_empty()),
            ("default_action", learner.default.line == 0),
            ("size", learner.size == 0),
            ("timeout", learner.timeouts.is_empty()),
        ];
        missing(block, &needs)?;
        Ok(learner)
    }

    fn keys(&mut self, block: &Line<'_>) -> Result<Vec<Key>, SpecError> {
        let mut keys = Vec::new();
        while let Some(line) = self.within(block)? {
            let (field, kind) = match line.words.as_slice() {
                [field, "exact"] => (field, Match::Exact),
                [field, "wildcard"] => (field, Match::Wildcard),
                [field, "lpm"] => (field, Match::Lpm),
                _ => {
                    return Err(
                        line.wrong("a field of a key is `FIELD exact`, `FIELD wildcard` or `FIELD lpm`")
                    );
                }
            };
            keys.push(Key { line: line.number, field: line.name(field)?, kind });
        }
        Ok(keys)
    }

    fn uses(&mut self, block: &Line<'_>) -> Result<Vec<Use>, SpecError> {
        let mut uses = Vec::new();
        while let Some(line) = self.within(block)? {
            let (action, by_entries, by_default) = match line.words.as_slice() {
                [action] => (action, true, true),
                [action, "@tableonly"] => (action, true, false),
                [action, "@defaultonly"] => (action, false, true),
                _ => return Err(line.wrong("an action is `NAME`, `NAME @tableonly` or `NAME @defaultonly`")),
            };
            uses.push(Use { line: line.number, action: line.name(action)?, by_entries, by_default });
        }
        Ok(uses)
    }

    /// One word a line.
    fn list(&mut self, block: &Line<'_>) -> Result<Vec<(&'a Line<'a>, &'a str)>, SpecError> {
        let mut all = Vec::new();
        while let Some(line) = self.within(block)? {
            let [word] = line.words.as_slice() else {
                return Err(line.wrong("one word is expected in this line"));
            };
            all.push((line, *word));
        }
        Ok(all)
    }

    fn timeouts(&mut self, block: &Line<'_>) -> Result<Vec<u32>, SpecError> {
        self.list(block)?.into_iter().map(|(line, word)| line.number32(word)).collect()
    }
}

fn missing(block: &Line<'_>, needs: &[(&str, bool)]) -> Result<(), SpecError> {
    match needs.iter().find(|(_, missing)| *missing) {
        None => Ok(()),
        Some((what, _)) => Err(block.wrong(format!("`{}` lacks `{what}`", block.words.join(" ")))),
    }
}

fn default(line: &Line<'_>) -> Result<Default, SpecError> {
    let ["default_action", action, "args", args @ ..] = line.words.as_slice() else {
        return Err(
            line.wrong("this is `default_action NAME args none`, or with `NAME VALUE ...`, and `const`")
        );
    };
    let (args, is_const) = match args {
        [args @ .., "const"] => (args, true),
        args => (args, false),
    };
    let args = match args {
        ["none"] => None,
        [] => return Err(line.wrong("`args` without arguments is `args none`")),
        args => Some(args.join(" ")),
    };
    Ok(Default { line: line.number, action: line.name(action)?, args, is_const })
}
