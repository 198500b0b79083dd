//! Which region is asked, and where it answers.

use super::layers::{ENDPOINT, Layers};
use super::origin::Setting;
use super::variables::{Environment, shown, usage, variable};
use crate::api::{Endpoint, EndpointProblem, PlainHttp, functions_url, iam_url, is_known_region};
use crate::error::Failure;
use std::fmt::Display;

/// How the variable begins by which the vendor's SDKs are told where FunctionGraph answers in a
/// region; it ends in the region's id, in capitals and with underscores.
const REGION_ENDPOINT: &str = "HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_";

/// The variable by which the vendor's SDKs are told another IAM.
const IAM_ENDPOINT: &str = "HUAWEICLOUD_SDK_IAM_ENDPOINT";

/// The variable of OpenStack's command line for the same.
const AUTH_URL: &str = "OS_AUTH_URL";

/// What is said of the address of IAM that follows from the region.
const IAM: &str = "IAM";

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceAddress {
    /// The address of FunctionGraph.
    pub(super) functions: Endpoint,
    /// The address of IAM; none where nobody named the one that belongs to the service.
    pub(super) iam: Option<Endpoint>,
    /// What may be wrong with the choice.
    pub(super) warning: Option<String>,
}

/// Finds the service of a region: the addresses as given, or by the region.
pub(super) fn locate_service(region: &str, layers: Layers<'_>) -> Result<ServiceAddress, Failure> {
    let plain_http = layers.plain_http();
    let given = given_endpoint(region, layers)?;
    let by_table = given.is_none();
    let functions =
        given.map_or_else(|| checked(&"the region", &functions_url(region), plain_http), Ok)?;
    let iam = locate_iam(region, &functions, plain_http, layers.env)?;
    let warning = (by_table && !is_known_region(region)).then(|| {
        format!(
            "the region `{region}` is not in the list of regions with FunctionGraph; asking \
             {functions}"
        )
    });
    Ok(ServiceAddress { functions, iam, warning })
}

/// The address that is set for all regions, not read yet.
pub(super) fn endpoint_that_is_set(layers: Layers<'_>) -> Result<Option<Setting<String>>, Failure> {
    layers.text(
        ENDPOINT,
        layers.flags.endpoint.as_deref(),
        [layers.source.and_then(|source| source.endpoint.as_ref()), None],
    )
}

/// The address of FunctionGraph where one was given: for all regions, or in that variable of the
/// vendor's SDKs, which may hold a list for them to try. We ask the first, and check them all.
fn given_endpoint(region: &str, layers: Layers<'_>) -> Result<Option<Endpoint>, Failure> {
    let plain_http = layers.plain_http();
    if let Some(Setting { value, origin }) = endpoint_that_is_set(layers)? {
        return checked(&origin, &value, plain_http).map(Some);
    }
    let name = format!("{REGION_ENDPOINT}{}", region.replace('-', "_").to_ascii_uppercase());
    let Some(list) = variable(layers.env, &name)? else { return Ok(None) };
    let entries = list.split(',').map(str::trim).filter(|text| !text.is_empty());
    let checked: Vec<_> =
        entries.map(|text| checked_as_sdk(&name, text, plain_http)).collect::<Result<_, _>>()?;
    let empty = || usage(format!("{name}: {} holds no address", shown(&list)));
    checked.into_iter().next().ok_or_else(empty).map(Some)
}

/// The vendor's SDKs take a bare host too, and ask it by https.
fn checked_as_sdk(place: &str, text: &str, plain_http: PlainHttp) -> Result<Endpoint, Failure> {
    let text = text.trim();
    let is_url = text.contains("//") || text.starts_with("http:") || text.starts_with("https:");
    let url = if is_url { text.to_owned() } else { format!("https://{text}") };
    Endpoint::parse(&url, plain_http).map_err(|problem| unusable(&place, text, problem))
}

/// The value for an error, unless it may hold a password or a token.
fn shown_address(text: &str) -> String {
    if text.contains(['@', '?', '#']) { "the address".to_owned() } else { shown(text) }
}

/// The IAM that may be shown our credentials: one that the user named, or the one that the region
/// table has for this very service. A service elsewhere has an IAM elsewhere, and the vendor's must
/// not see its keys.
fn locate_iam(
    region: &str,
    functions: &Endpoint,
    plain_http: PlainHttp,
    env: Environment<'_>,
) -> Result<Option<Endpoint>, Failure> {
    if let Some(text) = variable(env, IAM_ENDPOINT)? {
        return checked_as_sdk(IAM_ENDPOINT, &text, plain_http).map(Some);
    }
    // A stand-in on this machine is its own IAM.
    if functions.is_loopback() {
        return Ok(Some(functions.clone()));
    }
    if functions.is_same_host(&checked(&"the region", &functions_url(region), plain_http)?) {
        return checked(&IAM, &iam_url(region), plain_http).map(Some);
    }
    variable(env, AUTH_URL)?.map(|text| checked(&AUTH_URL, &text, plain_http)).transpose()
}

fn checked(place: &dyn Display, text: &str, plain_http: PlainHttp) -> Result<Endpoint, Failure> {
    Endpoint::parse(text, plain_http).map_err(|problem| unusable(place, text, problem))
}

fn unusable(place: &dyn Display, text: &str, problem: EndpointProblem) -> Failure {
    let is_of_iam = [IAM_ENDPOINT, AUTH_URL, IAM].contains(&&*place.to_string());
    let failure =
        usage(format!("{place}: {} cannot be used", shown_address(text))).because(problem);
    match problem {
        EndpointProblem::PlainHttp => failure
            .hint("use https, or accept that tokens are sent in the clear with --allow-plain-http"),
        EndpointProblem::Userinfo => failure.hint("give credentials in the environment"),
        _ if is_of_iam => failure.hint("write it like https://iam.cn-north-4.myhuaweicloud.com"),
        _ => failure.hint("write it like https://functiongraph.cn-north-4.myhuaweicloud.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    /// The variable for all regions.
    const OURS: &str = ENDPOINT.variables[0];

    fn at(endpoint: Option<&str>) -> Flags {
        Flags { endpoint: endpoint.map(str::to_owned), ..Flags::default() }
    }

    fn locate(
        region: &str,
        flags: &Flags,
        set: &[(&str, &str)],
    ) -> Result<ServiceAddress, Failure> {
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        locate_service(region, Layers::of(flags, &env))
    }

    #[test]
    fn addresses_follow_the_region_unless_given() {
        let address = |endpoint, region, set: &[(&str, &str)]| {
            let found = locate(region, &at(endpoint), set).unwrap();
            let iam = found.iam.map_or_else(|| "none".to_owned(), |iam| iam.to_string());
            (found.functions.to_string(), iam, found.warning.is_some())
        };
        let expect =
            |functions: &str, iam: &str, warning| (functions.to_owned(), iam.to_owned(), warning);
        let (functions, iam) = (
            "https://functiongraph.cn-north-4.myhuaweicloud.com",
            "https://iam.cn-north-4.myhuaweicloud.com",
        );
        assert_eq!(address(None, "cn-north-4", &[]), expect(functions, iam, false));
        assert_eq!(address(Some(""), "cn-north-4", &[]), expect(functions, iam, false));
        let (unknown, global) =
            ("https://functiongraph.xx-1.myhuaweicloud.com", "https://iam.myhuaweicloud.com");
        assert_eq!(address(None, "xx-1", &[]), expect(unknown, global, true));
        let own = "https://gate.example/fg";
        assert_eq!(
            address(Some(own), "xx-1", &[(IAM_ENDPOINT, "https://iam.example")]),
            expect(own, "https://iam.example", false)
        );
        assert_eq!(address(Some(own), "xx-1", &[]), expect(own, "none", false));
        let of_user = "https://iam.private.example/v3";
        assert_eq!(
            address(Some(own), "cn-north-4", &[(AUTH_URL, of_user)]),
            expect(own, of_user, false)
        );
        let elsewhere = "https://functiongraph.cn-north-4.myhuaweicloud.com.example";
        assert_eq!(address(Some(elsewhere), "cn-north-4", &[]), expect(elsewhere, "none", false));
        let spelled_out = "https://FunctionGraph.cn-north-4.myhuaweicloud.com:443/";
        assert_eq!(
            address(Some(spelled_out), "cn-north-4", &[(AUTH_URL, of_user)]),
            expect(functions, iam, false)
        );
        let local = "http://127.0.0.1:8080";
        assert_eq!(address(Some(local), "cn-north-4", &[]), expect(local, local, false));
    }

    #[test]
    fn the_example_of_an_address_is_one_of_the_service_that_is_meant() {
        let own = at(Some("https://gate.example"));
        for (flags, set, example) in [
            (&own, (IAM_ENDPOINT, "a b"), "//iam.cn-north-4"),
            (&own, (AUTH_URL, "iam.example"), "//iam.cn-north-4"),
            (&at(None), (OURS, "a b"), "//functiongraph.cn-north-4"),
            (&at(None), (OF_REGION, "a b"), "//functiongraph.cn-north-4"),
        ] {
            let hint = format!("{:?}", locate(NORTH, flags, &[set]).unwrap_err().hint);
            assert!(hint.contains(example), "{set:?}: {hint}");
        }
    }

    #[test]
    fn an_unusable_address_is_named_by_its_place() {
        let failure = locate("r", &at(Some("https://u:hunter2@x")), &[]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "--endpoint: the address cannot be used: it holds a user name or a password"
        );
        let plain = at(Some("http://example.com"));
        assert!(
            format!("{:?}", locate("r", &plain, &[]).unwrap_err().hint)
                .contains("--allow-plain-http")
        );
        assert!(locate("r", &Flags { allow_plain_http: true, ..plain }, &[]).is_ok());
    }

    /// The SDKs' variable for the region of these tests.
    const OF_REGION: &str = "HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4";

    const NORTH: &str = "cn-north-4";

    #[test]
    fn the_sdks_variable_of_a_region_gives_way_to_ours_and_ours_to_the_flag() {
        let set = [
            (OF_REGION, "https://sdk.example"),
            (OURS, "https://ours.example"),
            (IAM_ENDPOINT, "iam.example"),
        ];
        let functions =
            |endpoint, set: &[_]| locate(NORTH, &at(endpoint), set).unwrap().functions.to_string();
        assert_eq!(functions(Some("https://flag.example"), &set), "https://flag.example");
        assert_eq!(functions(Some(""), &set), "https://ours.example");
        assert_eq!(functions(None, &set[..1]), "https://sdk.example");
        let found = locate("cn-east-3", &at(None), &set[..1]).unwrap().functions.to_string();
        assert_eq!(found, "https://functiongraph.cn-east-3.myhuaweicloud.com");
        let set = [
            ("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_XX_NEW_1", "gate.example"),
            (IAM_ENDPOINT, "iam.example"),
        ];
        let found = locate("xx-new_1", &at(None), &set).unwrap();
        assert_eq!(
            (found.functions.to_string(), found.warning),
            ("https://gate.example".to_owned(), None)
        );
    }

    #[test]
    fn the_sdks_variables_take_urls_bare_hosts_and_a_list() {
        let found = |functions, iam| {
            locate(NORTH, &at(None), &[(OF_REGION, functions), (IAM_ENDPOINT, iam)])
        };
        for (functions, iam, expected) in [
            ("https://a.example", "https://i.example", ["https://a.example", "https://i.example"]),
            ("a.example", "i.example:8443", ["https://a.example", "https://i.example:8443"]),
            ("a.example/gate, http://b.example.invalid:x", "i.example", ["", ""]),
            (
                " a.example/gate , https://b.example,",
                " i.example\n",
                ["https://a.example/gate", "https://i.example"],
            ),
            ("http://127.0.0.1:1", "http://[::1]:2", ["http://127.0.0.1:1", "http://[::1]:2"]),
            ("127.0.0.1:1", "localhost", ["https://127.0.0.1:1", "https://localhost"]),
        ] {
            let found = found(functions, iam)
                .map(|found| [found.functions, found.iam.unwrap()].map(|it| it.to_string()));
            assert_eq!(found.unwrap_or_default(), expected, "{functions} {iam}");
        }
    }

    #[test]
    fn an_unusable_address_of_the_sdks_is_named_with_its_variable() {
        for name in [OF_REGION, IAM_ENDPOINT, OURS] {
            for (value, said) in [
                (
                    "http://a.example",
                    "\"http://a.example\" cannot be used: plain http is accepted for this \
                     machine's",
                ),
                (
                    "ftp://a.example",
                    "\"ftp://a.example\" cannot be used: its scheme is neither https nor http",
                ),
                ("a b", "\"a b\" cannot be used: it is no URL"),
                ("http//a.example", "\"http//a.example\" cannot be used: it is no URL"),
                ("\u{1b}[2J", "\"\\u{1b}[2J\" cannot be used: it is no URL"),
                ("https://u:hunter2@x", "the address cannot be used: it holds a user name"),
                ("https://u:hunter2@x y", "the address cannot be used: it is no URL"),
                ("https://x?t=hunter2", "the address cannot be used: it holds a query"),
            ] {
                let failure = locate(NORTH, &at(None), &[(name, value)]).unwrap_err();
                assert_eq!(
                    (failure.kind.exit_code(), failure.hint.is_some()),
                    (2, true),
                    "{name} {value}"
                );
                assert!(failure.to_string().starts_with(&format!("{name}: {said}")), "{failure}");
                assert!(!format!("{failure} {failure:?}").contains("hunter2"), "{failure:?}");
            }
        }
        let several = [(OF_REGION, "https://a.example,ftp://b.example")];
        let failure = locate(NORTH, &at(None), &several).unwrap_err().to_string();
        assert!(
            failure.starts_with(&format!("{OF_REGION}: \"ftp://b.example\" cannot be used")),
            "{failure}"
        );
        let failure = locate(NORTH, &at(None), &[(OF_REGION, " ,")]).unwrap_err().to_string();
        assert_eq!(failure, format!("{OF_REGION}: \" ,\" holds no address"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(endpoint in "\\PC{0,30}", region in "\\PC{0,20}") {
            let _ = locate(&region, &at(Some(&endpoint)), &[]);
        }

        #[test]
        fn any_text_in_the_sdks_variables_is_taken_or_refused(
            functions in "\\PC{0,30}",
            iam in "\\PC{0,30}",
        ) {
            match locate(NORTH, &at(None), &[(OF_REGION, &functions), (IAM_ENDPOINT, &iam)]) {
                Ok(found) => {
                    prop_assert!(found.functions.is_encrypted() || found.functions.is_loopback());
                }
                Err(failure) => prop_assert_eq!(failure.kind.exit_code(), 2),
            }
        }
    }
}
