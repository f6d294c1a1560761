//! `outcrop doctor --operations` and `--routes`, from the same tables that answer requests.

use outcrop_api::{Service, operations as all};
use outcrop_server::doors::Door;
use outcrop_server::operations::built;

/// Every operation by service, with totals.
pub(super) fn list() -> String {
    let mut text = String::new();
    for service in Service::ALL {
        let specs: Vec<_> = all().filter(|spec| spec.service == service).collect();
        let done = specs.iter().filter(|spec| built(spec)).count();
        text += &format!("{}: {done} of {} built\n", service.prefix(), specs.len());
        for spec in specs {
            let state = if built(spec) { "built" } else { "not built" };
            text += &format!("  {state:<11}{}\n", spec.name);
        }
        text.push('\n');
    }
    let done = all().filter(|spec| built(spec)).count();
    text + &format!(
        "{done} of {} operations are built. The others answer 501 NotImplementedException with their own name.\n",
        all().count()
    )
}

/// Every route on the port, one a line: method, path, name, state.
pub(super) fn routes() -> String {
    let mut text = String::new();
    for door in Door::ALL {
        for path in door.paths() {
            for method in door.methods() {
                text += &format!("{method} {path} {} built\n", door.name());
            }
        }
    }
    for spec in all() {
        let state = if built(spec) { "built" } else { "not-built" };
        text += &format!("{} {} {}:{} {state}\n", spec.method, spec.uri, spec.service.prefix(), spec.name);
    }
    text
}
