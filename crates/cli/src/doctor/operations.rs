//! `outcrop doctor --operations`, from the same table that answers requests.

use outcrop_api::{Service, operations as all};
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
