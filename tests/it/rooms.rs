//! The order of the rooms: imports run down the table in `docs/architecture.md`, and a store is named by its own room
//! and by other stores alone. The files below `src/` are read, and every path in them that begins with `crate`, `self`
//! or `super`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{UseTree, visit::Visit};

/// Rooms that tie the others together. They import the files in which a part of [`App`] or of the store is made, and
/// the test for circles sees to it that those files know neither.
///
/// [`App`]: myspares::app::App
const TIES: [&str; 2] = ["app", "store"];

#[test]
fn the_table_in_the_documentation_names_every_room() {
    let listed: BTreeSet<String> = rooms().into_iter().collect();
    let found: BTreeSet<String> = Source::all().iter().map(Source::room).collect();
    assert_eq!(listed, found);
}

#[test]
fn imports_run_down_the_table() {
    let order = rooms();
    let rank = |room: &str| order.iter().position(|name| name == room).expect("a room of the table");
    let mut upwards = Vec::new();
    for source in Source::all() {
        let room = source.room();
        if TIES.contains(&room.as_str()) {
            continue;
        }
        let paths = source.paths.iter().filter(|path| order.contains(&path[0]) && rank(&path[0]) < rank(&room));
        upwards.extend(paths.map(|path| format!("{}: {}", source.file.display(), path.join("::"))));
    }
    assert!(upwards.is_empty(), "imports that run upwards:\n{}", upwards.join("\n"));
}

#[test]
fn a_store_is_named_by_its_room_and_by_stores_alone() {
    let sources = Source::all();
    let is_foreign = |source: &Source, path: &Vec<String>| {
        path.len() > 2 && path[1] == "store" && path[0] != source.room() && !source.is_part_of_a_store()
    };
    let named: Vec<String> = sources
        .iter()
        .flat_map(|source| source.paths.iter().filter(|path| is_foreign(source, path)).map(move |path| (source, path)))
        // What an audit says of its author is made by `App`.
        .filter(|(source, _)| source.room() != "app")
        .map(|(source, path)| format!("{}: {}", source.file.display(), path.join("::")))
        .collect();
    assert!(named.is_empty(), "stores of other rooms:\n{}", named.join("\n"));
}

#[test]
fn no_circle_of_files_goes_through_two_rooms() {
    let sources = Source::all();
    let files: BTreeMap<Vec<String>, usize> =
        sources.iter().enumerate().map(|(n, source)| (source.module.clone(), n)).collect();
    let edges: Vec<BTreeSet<usize>> = sources.iter().map(|source| source.files(&files)).collect();
    let reached: Vec<BTreeSet<usize>> = (0..sources.len()).map(|from| reachable(&edges, from)).collect();
    let circles: Vec<String> = (0..sources.len())
        .flat_map(|a| reached[a].iter().map(move |b| (a, *b)))
        .filter(|(a, b)| a < b && reached[*b].contains(a) && sources[*a].room() != sources[*b].room())
        .map(|(a, b)| format!("{} and {}", sources[a].file.display(), sources[b].file.display()))
        .collect();
    assert!(circles.is_empty(), "files that import each other:\n{}", circles.join("\n"));
}

/// Returns the rooms in the order of the table.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the document");
    let table = text.split("<!-- rooms -->").nth(1).expect("the table stands between two marks");
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.map(|name| name.trim_end_matches('/').to_owned()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every file that can be reached over imports.
fn reachable(edges: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        open.extend(edges[next].iter().filter(|to| reached.insert(**to)));
    }
    reached
}

/// A file of `src/`.
struct Source {
    file: PathBuf,
    /// Its module path below the crate.
    module: Vec<String>,
    /// Paths below the crate that it names.
    paths: BTreeSet<Vec<String>>,
}

impl Source {
    fn all() -> Vec<Self> {
        let mut files = Vec::new();
        rust_files(&root().join("src"), &mut files);
        let library = files.into_iter().filter(|file| !file.ends_with("lib.rs") && !file.ends_with("main.rs"));
        library.map(|file| Self::read(&file)).collect()
    }

    fn read(file: &Path) -> Self {
        let short = file.strip_prefix(root().join("src")).expect("a file of src").with_extension("");
        let mut module: Vec<String> = short.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        module.retain(|part| part != "mod");
        let mut names = Names { scope: module.clone(), paths: BTreeSet::new() };
        let text = fs::read_to_string(file).expect("a file");
        names.visit_file(&syn::parse_file(&text).expect("Rust"));
        let file = Path::new("src").join(short).with_extension("rs");
        Self { file, module, paths: names.paths }
    }

    fn room(&self) -> String {
        self.module[0].clone()
    }

    fn is_part_of_a_store(&self) -> bool {
        self.module[0] == "store" || self.module.get(1).is_some_and(|part| part == "store")
    }

    /// Returns the files in which what it names is declared. A file that only lists its folder's modules is passed
    /// through.
    fn files(&self, files: &BTreeMap<Vec<String>, usize>) -> BTreeSet<usize> {
        let deepest =
            |path: &Vec<String>| (1..=path.len()).rev().find_map(|length| files.get(&path[..length]).copied());
        self.paths.iter().filter_map(deepest).collect()
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Collects the paths that begin with `crate`, `self` or `super`.
struct Names {
    /// The module that is being read.
    scope: Vec<String>,
    paths: BTreeSet<Vec<String>>,
}

impl Names {
    fn add(&mut self, path: &[String]) {
        let mut absolute = match path[0].as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.scope.clone(),
            _ => return,
        };
        for part in path {
            match part.as_str() {
                "crate" | "self" | "*" => {}
                "super" => drop(absolute.pop()),
                name => absolute.push(name.to_owned()),
            }
        }
        if !absolute.is_empty() {
            self.paths.insert(absolute);
        }
    }

    fn add_tree(&mut self, mut path: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.add_tree(path, &inner.tree);
            }
            UseTree::Name(name) => self.add(&[path, vec![name.ident.to_string()]].concat()),
            UseTree::Rename(name) => self.add(&[path, vec![name.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.add(&[path, vec!["*".to_owned()]].concat()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(path.clone(), tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(Vec::new(), &item.tree);
    }

    /// `pub(in crate::carts)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path_parts.len() > 1 {
            self.add(&path_parts);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.scope.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.scope.pop();
    }
}
