use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

#[derive(Default)]
struct Usage {
    files: usize,
    bytes: u64,
    lines: usize,
}

struct Options {
    root: PathBuf,
    hidden: bool,
}

fn parse_args() -> Result<Options, String> {
    let mut root = None;
    let mut hidden = false;
    for arg in env::args().skip(1) {
        match arg.as_str() {
            "--hidden" => hidden = true,
            flag if flag.starts_with('-') => return Err(format!("unknown option {}", flag)),
            path if root.is_none() => root = Some(PathBuf::from(path)),
            extra => return Err(format!("unexpected argument {}", extra)),
        }
    }
    Ok(Options {
        root: root.unwrap_or_else(|| PathBuf::from(".")),
        hidden,
    })
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .map_or(false, |name| name.starts_with('.'))
}

/// Adds up everything below `dir`, by file extension.
fn walk(dir: &Path, options: &Options, totals: &mut BTreeMap<String, Usage>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        if is_hidden(&path) && !options.hidden {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // an unreadable directory should not stop the whole run
            if let Err(error) = walk(&path, options, totals) {
                eprintln!("{}: {}", path.display(), error);
            }
        } else if kind.is_file() {
            let extension = path
                .extension()
                .map(|e| e.to_string_lossy().to_lowercase())
                .unwrap_or_else(|| "(none)".to_string());
            let usage = totals.entry(extension).or_default();
            usage.files += 1;
            usage.bytes += entry.metadata()?.len();
            if let Ok(text) = fs::read_to_string(&path) {
                usage.lines += text.lines().count();
            }
        }
    }
    Ok(())
}

fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit < UNITS.len() - 1 {
        size /= 1024.0;
        unit += 1;
    }
    format!("{:.1} {}", size, UNITS[unit])
}

fn main() {
    let options = match parse_args() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{}\nusage: filestat [--hidden] [DIRECTORY]", message);
            process::exit(2);
        }
    };
    let mut totals = BTreeMap::new();
    if let Err(error) = walk(&options.root, &options, &mut totals) {
        eprintln!("{}: {}", options.root.display(), error);
        process::exit(1);
    }
    let mut rows: Vec<_> = totals.into_iter().collect();
    rows.sort_by(|a, b| b.1.bytes.cmp(&a.1.bytes));
    println!("{:<12} {:>8} {:>10} {:>12}", "extension", "files", "lines", "size");
    for (extension, usage) in &rows {
        println!("{:<12} {:>8} {:>10} {:>12}", extension, usage.files, usage.lines, human(usage.bytes));
    }
}
