//! Writes a pipeline's artefacts for a target into a folder: `emit FILE TARGET DIR [CONST=VALUE ...]`.
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, target, dir, sets @ ..] = args.as_slice() else { return Err("emit FILE TARGET DIR".into()) };
    let sets: Vec<(String, String)> =
        sets.iter().filter_map(|s| s.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect();
    let name = Path::new(file).file_name().and_then(|n| n.to_str()).unwrap_or(file);
    let pipeline = pipeline_syntax::compile_source(name, &std::fs::read_to_string(file)?, &sets)?;
    let verified = pipeline_ir::verify::verify(pipeline)?;
    let fitted = codegen::fit(&verified, &hw_targets::target(target)?)?;
    let files = match fitted.target().arch.as_str() {
        "rust" => codegen::rust::emit(&fitted),
        _ => codegen::xdp::emit(&fitted),
    };
    for (path, bytes) in files.iter() {
        let path = Path::new(dir).join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)?;
    }
    print!("{}", fitted.report());
    Ok(())
}
