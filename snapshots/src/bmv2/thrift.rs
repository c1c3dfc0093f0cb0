//! Thrift's binary protocol, as far as BMv2's own runtime interface (`standard.thrift`) needs it.

use anyhow::{Context as _, Result, bail, ensure};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Calls and answers of version 1; the low byte says which.
const VERSION: u32 = 0x8001_0000;
const CALL: u32 = 1;
const REPLY: u32 = 2;
/// Types of values.
const I32: u8 = 8;
const I64: u8 = 10;
const BYTES: u8 = 11;
const STRUCT: u8 = 12;
const LIST: u8 = 15;
/// No text and no list of an answer is longer.
const LONGEST: usize = 1 << 26;
/// No answer is nested deeper.
const DEEPEST: u8 = 16;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    I32(i32),
    I64(i64),
    Bytes(Vec<u8>),
    /// By the fields' ids.
    Struct(Vec<(i16, Value)>),
    List(Vec<Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl Value {
    /// A field of a structure.
    pub(super) fn field(&self, id: i16) -> Option<&Self> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|f| f.0 == id).map(|f| &f.1)
    }
    /// A number that is a field.
    pub(super) fn number(&self, id: i16) -> Result<i64> {
        match self.field(id) {
            Some(Self::I32(n)) => Ok(i64::from(*n)),
            Some(Self::I64(n)) => Ok(*n),
            other => bail!("field {id} is no number: {other:?}"),
        }
    }
    /// Bytes that are a field.
    pub(super) fn bytes(&self, id: i16) -> Result<&[u8]> {
        match self.field(id) {
            Some(Self::Bytes(bytes)) => Ok(bytes),
            other => bail!("field {id} has no bytes: {other:?}"),
        }
    }
    /// A list that is a field; an absent one is empty.
    pub(super) fn list(&self, id: i16) -> Result<&[Self]> {
        match self.field(id) {
            Some(Self::List(items)) => Ok(items),
            None => Ok(&[]),
            other => bail!("field {id} is no list: {other:?}"),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::I32(_) => I32,
            Self::I64(_) => I64,
            Self::Bytes(_) => BYTES,
            Self::Struct(_) => STRUCT,
            Self::List(_) => LIST,
        }
    }

    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        match self {
            Self::I32(n) => to.extend(n.to_be_bytes()),
            Self::I64(n) => to.extend(n.to_be_bytes()),
            Self::Bytes(bytes) => {
                to.extend(length(bytes.len()));
                to.extend(bytes);
            }
            Self::Struct(fields) => {
                for (id, value) in fields {
                    to.push(value.kind());
                    to.extend(id.to_be_bytes());
                    value.encode(to);
                }
                to.push(0);
            }
            Self::List(items) => {
                to.push(items.first().map_or(BYTES, Self::kind));
                to.extend(length(items.len()));
                items.iter().for_each(|item| item.encode(to));
            }
        }
    }

    fn decode(from: &mut impl Read, kind: u8, depth: u8) -> Result<Self> {
        ensure!(depth < DEEPEST, "an answer is nested too deep");
        Ok(match kind {
            I32 => Self::I32(i32::from_be_bytes(array(from)?)),
            I64 => Self::I64(i64::from_be_bytes(array(from)?)),
            BYTES => Self::Bytes(text(from)?),
            STRUCT => {
                let mut fields = Vec::new();
                loop {
                    let [kind] = array(from)?;
                    if kind == 0 {
                        break Self::Struct(fields);
                    }
                    let id = i16::from_be_bytes(array(from)?);
                    fields.push((id, Self::decode(from, kind, depth + 1)?));
                }
            }
            LIST => {
                let [kind] = array(from)?;
                let items = (0..length(from)?).map(|_| Self::decode(from, kind, depth + 1));
                Self::List(items.collect::<Result<_>>()?)
            }
            other => bail!("no answer has values of type {other}"),
        })
    }
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn length(from: &mut impl Read) -> Result<usize> {
    let length = u32::from_be_bytes(array(from)?) as usize;
    ensure!(length <= LONGEST, "an answer has {length} bytes or items");
    Ok(length)
}

fn text(from: &mut impl Read) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length(from)?];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// A value, or none.
    Done(Option<Value>),
    /// The interface's own exception: its code.
    Refused(i64),
}

/// A client of the service `standard`.
#[derive(Debug)]
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    calls: u32,
}

impl Client {
    /// Nothing takes longer than `patience`.
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        Ok(Self { stream: BufReader::new(stream), calls: 0 })
    }

    /// Calls a function; arguments are numbered from 1.
    pub(super) fn call(&mut self, function: &str, args: Vec<Value>) -> Result<Answer> {
        self.calls += 1;
        let mut message = (VERSION | CALL).to_be_bytes().to_vec();
        Value::from(format!("standard:{function}").as_str()).encode(&mut message);
        message.extend(self.calls.to_be_bytes());
        Value::Struct((1..).zip(args).collect()).encode(&mut message);
        self.stream.get_mut().write_all(&message)?;
        self.answer().with_context(|| function.to_owned())
    }

    fn answer(&mut self) -> Result<Answer> {
        let kind = u32::from_be_bytes(array(&mut self.stream)?);
        let (_, number) = (text(&mut self.stream)?, u32::from_be_bytes(array(&mut self.stream)?));
        let result = Value::decode(&mut self.stream, STRUCT, 0)?;
        ensure!(kind == VERSION | REPLY && number == self.calls, "{kind:#x}, {number}: {result:?}");
        match result.field(1) {
            Some(refused) => Ok(Answer::Refused(refused.number(1)?)),
            None => Ok(Answer::Done(result.field(0).cloned())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn values_come_back_as_they_were_sent() {
        let inner = Value::Struct(vec![(1, Value::I32(-3)), (2, Value::Bytes(vec![0, 255]))]);
        let all = Value::Struct(vec![
            (0, Value::List(vec![inner.clone(), inner])),
            (7, Value::I64(i64::MIN)),
            (9, Value::List(Vec::new())),
        ]);
        let mut bytes = Vec::new();
        all.encode(&mut bytes);
        assert_eq!(Value::decode(&mut bytes.as_slice(), STRUCT, 0).unwrap(), all);
        for cut in 0..bytes.len() {
            assert!(Value::decode(&mut &bytes[..cut], STRUCT, 0).is_err(), "{cut} bytes");
        }
    }

    /// The bytes of Thrift's specification: version, name, number, fields, stop.
    #[test]
    fn a_call_is_written_and_its_answers_are_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut server = listener.accept().unwrap().0;
        let mut client = Client::new(stream, Duration::from_secs(20)).unwrap();
        let reply = |number: u8, fields: &[u8]| {
            [&[0x80, 1, 0, 2, 0, 0, 0, 1, b'f', 0, 0, 0, number], fields, &[0]].concat()
        };
        server.write_all(&reply(1, &[I32, 0, 0, 0, 0, 0, 5])).unwrap();
        server.write_all(&reply(2, &[STRUCT, 0, 1, I32, 0, 1, 0, 0, 0, 17, 0])).unwrap();
        server.write_all(&reply(9, &[])).unwrap();
        assert_eq!(client.call("f", vec![Value::I32(7)]).unwrap(), Answer::Done(Some(Value::I32(5))));
        assert_eq!(client.call("f", vec![]).unwrap(), Answer::Refused(17));
        assert!(client.call("f", vec![]).is_err(), "an answer to another call");
        let mut sent = [0; 34];
        server.read_exact(&mut sent).unwrap();
        let name = b"standard:f";
        let expected =
            [&[0x80, 1, 0, 1, 0, 0, 0, 10], &name[..], &[0, 0, 0, 1, I32, 0, 1, 0, 0, 0, 7, 0]].concat();
        assert_eq!(sent[..expected.len()], expected);
    }
}
