//! Which region is asked, and where it answers.

use super::{Environment, usage, variable};
use crate::api::{Endpoint, EndpointProblem, PlainHttp, functions_url, iam_url, is_known_region};
use crate::domain::FunctionRef;
use crate::error::Failure;
use std::collections::BTreeSet;

/// Variables that name the region, ours first.
const REGION: [&str; 2] = ["FGARCHIVE_REGION", "HUAWEICLOUD_REGION"];

/// The variable by which the vendor's SDKs are told another IAM.
const IAM_ENDPOINT: &str = "HUAWEICLOUD_SDK_IAM_ENDPOINT";

/// What the flags say of the service.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceOptions<'a> {
    /// `--endpoint`.
    pub endpoint: Option<&'a str>,
    /// `--region`.
    pub region: Option<&'a str>,
    /// `--allow-plain-http`.
    pub plain_http: PlainHttp,
    /// The functions of the run, whose URNs name a region.
    pub functions: &'a [FunctionRef],
}

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    /// The region's id.
    pub region: String,
    /// The address of FunctionGraph.
    pub functions: Endpoint,
    /// The address of IAM.
    pub iam: Endpoint,
    /// What may be wrong with the choice.
    pub warning: Option<String>,
}

/// Finds the service: the region as given, or as the functions' URNs have it; the addresses as given, or
/// by the region.
pub fn locate_service(options: &ServiceOptions<'_>, env: Environment<'_>) -> Result<ServiceAddress, Failure> {
    let region = choose_region(options, env)?;
    let endpoint = options.endpoint.filter(|text| !text.is_empty());
    let by_region = functions_url(&region);
    let functions = checked("--endpoint", endpoint.unwrap_or(&by_region), options.plain_http)?;
    let iam = match variable(env, IAM_ENDPOINT) {
        Some(text) => checked(IAM_ENDPOINT, &text, options.plain_http)?,
        // A stand-in on this machine is its own IAM; its keys are not to be sent to the vendor's.
        None if functions.is_loopback() => functions.clone(),
        None => checked("IAM", &iam_url(&region), options.plain_http)?,
    };
    let warning = (endpoint.is_none() && !is_known_region(&region))
        .then(|| format!("the region `{region}` is not in the list of regions with FunctionGraph; asking {functions}"));
    Ok(ServiceAddress { region, functions, iam, warning })
}

fn checked(place: &str, text: &str, plain_http: PlainHttp) -> Result<Endpoint, Failure> {
    Endpoint::parse(text, plain_http).map_err(|problem| {
        let failure = usage(format!("the address of {place} cannot be used")).because(problem);
        match problem {
            EndpointProblem::PlainHttp => {
                failure.hint("use https, or accept that tokens are sent in the clear with --allow-plain-http")
            }
            EndpointProblem::Userinfo => failure.hint("give credentials in the environment"),
            _ => failure.hint("write it like https://functiongraph.cn-north-4.myhuaweicloud.com"),
        }
    })
}

fn choose_region(options: &ServiceOptions<'_>, env: Environment<'_>) -> Result<String, Failure> {
    let given = options.region.filter(|region| !region.is_empty()).map(str::to_owned);
    let given = given.or_else(|| REGION.iter().find_map(|name| variable(env, name)));
    let region = given.map_or_else(|| region_of(options.functions), Ok)?;
    // It becomes part of a host name.
    if region.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        Ok(region)
    } else {
        Err(usage(format!("`{region}` is no region")).hint("write its id, such as cn-north-4"))
    }
}

/// The one region that the functions' URNs name.
fn region_of(functions: &[FunctionRef]) -> Result<String, Failure> {
    let named = functions.iter().filter_map(|function| match function {
        FunctionRef::Urn(urn) => Some(urn.region()),
        FunctionRef::Name { .. } => None,
    });
    let regions: Vec<_> = named.collect::<BTreeSet<_>>().into_iter().collect();
    match regions[..] {
        [region] => Ok(region.to_owned()),
        [] => {
            Err(usage("the region is not known")
                .hint("give --region, set FGARCHIVE_REGION, or name a function by its URN"))
        }
        _ => Err(usage(format!("the functions lie in several regions: {}", regions.join(", ")))
            .hint("run once for each region; several runs may fill one archive, one after the other")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn locate(options: &ServiceOptions<'_>, set: &[(&str, &str)]) -> Result<ServiceAddress, Failure> {
        let env = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        locate_service(options, &env)
    }

    fn functions(names: &[&str]) -> Vec<FunctionRef> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn the_region_comes_from_the_flag_the_environment_or_a_urn() {
        let functions = functions(&["short", "urn:fss:cn-east-3:p:function:default:a"]);
        let by_urn = ServiceOptions { functions: &functions, ..ServiceOptions::default() };
        let region = |options: &ServiceOptions<'_>, set: &[(&str, &str)]| locate(options, set).unwrap().region;
        assert_eq!(region(&by_urn, &[("HUAWEICLOUD_REGION", "")]), "cn-east-3");
        assert_eq!(region(&by_urn, &[("HUAWEICLOUD_REGION", "cn-east-2")]), "cn-east-2");
        assert_eq!(region(&by_urn, &[("HUAWEICLOUD_REGION", "a"), ("FGARCHIVE_REGION", "b")]), "b");
        assert_eq!(region(&ServiceOptions { region: Some("c"), ..by_urn }, &[("FGARCHIVE_REGION", "b")]), "c");
    }

    #[test]
    fn no_region_or_several_is_a_question_to_the_user() {
        let message = |names: &[&str]| {
            let functions = functions(names);
            let options = ServiceOptions { functions: &functions, ..ServiceOptions::default() };
            let failure = locate(&options, &[]).unwrap_err();
            assert_eq!((failure.kind.exit_code(), failure.hint.is_some()), (2, true));
            failure.to_string()
        };
        assert_eq!(message(&["short"]), "the region is not known");
        let two = ["urn:fss:b:p:function:default:a", "urn:fss:a:p:function:default:a"];
        assert_eq!(message(&two), "the functions lie in several regions: a, b");
        let odd = ServiceOptions { region: Some("a.example/"), ..ServiceOptions::default() };
        assert_eq!(locate(&odd, &[]).unwrap_err().to_string(), "`a.example/` is no region");
    }

    #[test]
    fn addresses_follow_the_region_unless_given() {
        let address = |endpoint, region, set: &[(&str, &str)]| {
            let options = ServiceOptions { endpoint, region: Some(region), ..ServiceOptions::default() };
            let found = locate(&options, set).unwrap();
            (found.functions.to_string(), found.iam.to_string(), found.warning.is_some())
        };
        let expect = |functions: &str, iam: &str, warning| (functions.to_owned(), iam.to_owned(), warning);
        let (functions, iam) =
            ("https://functiongraph.cn-north-4.myhuaweicloud.com", "https://iam.cn-north-4.myhuaweicloud.com");
        assert_eq!(address(None, "cn-north-4", &[]), expect(functions, iam, false));
        assert_eq!(address(Some(""), "cn-north-4", &[]), expect(functions, iam, false));
        let (unknown, global) = ("https://functiongraph.xx-1.myhuaweicloud.com", "https://iam.myhuaweicloud.com");
        assert_eq!(address(None, "xx-1", &[]), expect(unknown, global, true));
        let own = "https://gate.example/fg";
        assert_eq!(
            address(Some(own), "xx-1", &[(IAM_ENDPOINT, "https://iam.example")]),
            expect(own, "https://iam.example", false)
        );
        let local = "http://127.0.0.1:8080";
        assert_eq!(address(Some(local), "cn-north-4", &[]), expect(local, local, false));
    }

    #[test]
    fn an_unusable_address_is_named_by_its_place() {
        let options =
            ServiceOptions { endpoint: Some("https://u:hunter2@x"), region: Some("r"), ..ServiceOptions::default() };
        let failure = locate(&options, &[]).unwrap_err();
        assert_eq!(failure.to_string(), "the address of --endpoint cannot be used: it holds a user name or a password");
        let plain = ServiceOptions { endpoint: Some("http://example.com"), ..options };
        assert!(locate(&plain, &[]).unwrap_err().hint.is_some_and(|hint| hint.contains("--allow-plain-http")));
        assert!(locate(&ServiceOptions { plain_http: PlainHttp::Anywhere, ..plain }, &[]).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(endpoint in "\\PC{0,30}", region in "\\PC{0,20}") {
            let options = ServiceOptions { endpoint: Some(&endpoint), region: Some(&region), ..ServiceOptions::default() };
            let _ = locate(&options, &[]);
        }
    }
}
