//! The files an operator gets beside the binary, held against the binary and against each other.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use crate::cli::{self, Cli};
use crate::exit::Exit;

const UNIT: &str = "systemd/standin@.service";
/// The unit of a service of many.
const MANY: &str = "systemd/standin.service";

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the values of a key of the unit, in their order.
fn unit(key: &str) -> Vec<String> {
    let prefix = format!("{key}=");
    read(UNIT)
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
        .collect()
}

/// Returns the packages that a line of the Dockerfile or the Makefile names after `marker`.
fn packages(text: &str, marker: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.split_once(marker));
    let mut names: Vec<_> = lines
        .flat_map(|(_, rest)| rest.split_whitespace())
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[test]
fn the_unit_starts_a_command_that_exists() {
    let start = unit("ExecStart").concat();
    let words = start
        .split_whitespace()
        .map(|word| word.replace("%i", "town-hall"));

    let cli = Cli::try_parse_from(words).expect("a good command line");

    assert!(
        matches!(cli.command, cli::Command::Run(args) if args.config == Path::new("/etc/standin/town-hall.toml"))
    );
}

#[test]
fn the_unit_restarts_only_where_that_can_help_and_leaves_time_to_leave() {
    let never: Vec<u8> = unit("RestartPreventExitStatus")
        .concat()
        .split_whitespace()
        .map(|code| code.parse().expect("a code"))
        .collect();
    assert_eq!(
        never,
        [Exit::Usage.code(), Exit::Removed.code(), Exit::Pin.code()]
    );

    let patience = unit("TimeoutStopSec").concat();
    let patience: u64 = patience.trim_end_matches('s').parse().expect("seconds");
    assert!(Duration::from_secs(patience) > 2 * crate::destination::LEAVE_LIMIT);
}

#[test]
fn the_unit_keeps_the_sockets_that_ice_and_systemd_need() {
    let families = unit("RestrictAddressFamilies").concat();

    for family in ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"] {
        assert!(
            families.split_whitespace().any(|word| word == family),
            "{family}"
        );
    }
}

#[test]
fn the_unit_of_many_differs_in_what_it_must() {
    // What is not named here is the same in both.
    let kept = |path: &str| {
        let different = [
            "Description=",
            "ExecStart=",
            "EnvironmentFile=",
            "LoadCredential=",
            "SetCredential=",
            "RestartPreventExitStatus=",
            "User=",
            "RuntimeDirectory=",
            "StateDirectory=",
            "WorkingDirectory=",
            "#",
        ];
        let text = read(path);
        let lines = text.lines().map(str::to_owned);
        lines
            .filter(|line| !line.is_empty() && !different.iter().any(|key| line.starts_with(key)))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(MANY), kept(UNIT));
    assert!(
        read(MANY)
            .contains("\nExecStart=/usr/bin/standin run --config /etc/standin/standin.toml\n")
    );
    assert!(
        read(MANY).contains("\nRuntimeDirectory=standin\n"),
        "the control socket lies there"
    );
}

/// systemd's own opinion counts.
#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("standin@.service");
    let verify = |path: &Path| {
        Command::new("systemd-analyze")
            .arg("verify")
            .arg(path)
            .output()
            .expect("systemd-analyze is there: apt-get install systemd, or make deps-test")
    };
    for unit in [MANY, UNIT] {
        let path = directory
            .path()
            .join(Path::new(unit).file_name().expect("a name"));
        // systemd looks for the program, which is not installed where tests run.
        fs::write(&path, read(unit).replace("/usr/bin/standin", "/bin/true")).expect("written");
        let output = verify(&path);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fs::write(
        &path,
        read(UNIT)
            .replace("/usr/bin/standin", "/bin/true")
            .replace("Type=notify", "Type=notfy"),
    )
    .expect("written");
    let output = verify(&path);
    assert!(
        !output.stderr.is_empty(),
        "a misspelt type is not found: this test proves nothing"
    );
}

#[test]
fn the_image_is_built_with_the_packages_that_make_installs() {
    let docker = read("Dockerfile");
    let stages: Vec<_> = docker.split("\nFROM ").collect();
    assert_eq!(stages.len(), 3, "a preamble and two stages");
    let marker = "--no-install-recommends ";

    assert_eq!(
        packages(stages[1], marker),
        packages(&read("Makefile"), "BUILD_PACKAGES :=")
    );
    for linked in ["libvpx7", "libdav1d6", "libstdc++6"] {
        assert!(
            packages(stages[2], marker).contains(&linked.to_owned()),
            "the binary links {linked}"
        );
    }
}

#[test]
fn what_the_image_copies_is_there() {
    let docker = read("Dockerfile");
    let copied = docker
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"));
    let mut count = 0;
    for line in copied {
        let words: Vec<_> = line.split_whitespace().collect();
        for source in &words[..words.len() - 1] {
            assert!(Path::new(source).exists(), "{source}");
            count += 1;
        }
    }
    assert!(count > 4, "{count} paths copied");
    for stage in ["USER standin", "STOPSIGNAL SIGTERM"] {
        assert!(docker.lines().any(|line| line == stage), "{stage}");
    }
}

#[test]
fn one_toolchain_is_named_everywhere() {
    let version = env!("CARGO_PKG_RUST_VERSION");

    assert!(read("rust-toolchain.toml").contains(&format!("channel = \"{version}.")));
    assert!(read("Dockerfile").contains(&format!("FROM rust:{version}-bookworm ")));
}

/// Returns the paths a document names, in backticks or as the target of a link.
fn paths(document: &str) -> Vec<String> {
    let known = ["crates/", "tests/", "config/", "systemd/"];
    let quoted = document.split('`').skip(1).step_by(2).map(str::to_owned);
    let linked = document
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .filter(|target| !target.contains("://"))
        // What follows is a heading in that document; without a path, in this one.
        .filter_map(|target| Some(target.split('#').next()?.to_owned()))
        .filter(|path| !path.is_empty());
    quoted
        .filter(|word| known.iter().any(|root| word.starts_with(root)) && !word.contains(' '))
        .chain(linked)
        .collect()
}

#[test]
fn the_documents_name_what_is_there() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let paths = paths(&read(document));
        assert!(
            !paths.is_empty(),
            "{document} names nothing: this test proves nothing"
        );
        for path in paths {
            let file = path.split('#').next().unwrap_or_default();
            assert!(Path::new(file).exists(), "{document}: {path}");
        }
    }
}

#[test]
fn the_readme_lists_every_command_and_exit_code() {
    let readme = read("README.md");
    for command in Cli::command().get_subcommands() {
        assert!(
            readme.contains(&format!("| `standin {}", command.get_name())),
            "{command}"
        );
    }
    for exit in Exit::ALL {
        assert!(
            readme.contains(&format!("\n| {} | ", exit.code())),
            "{exit:?}"
        );
    }
}
