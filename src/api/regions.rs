//! Where the vendor's regions answer.
//!
//! Source: the region tables of the vendor's Python and Go SDKs (3.1.219, 2026-03) and the domain
//! that its Terraform provider uses for `eu-west-1…`.

/// Regions with FunctionGraph, in the order of the vendor's table.
const FUNCTION_REGIONS: [&str; 27] = [
    "cn-north-1",
    "cn-north-4",
    "cn-north-9",
    "cn-north-11",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-south-1",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "af-south-1",
    "sa-brazil-1",
    "la-south-2",
    "la-north-2",
    "na-mexico-1",
    "me-east-1",
    "ae-ad-1",
    "tr-west-1",
    "my-kualalumpur-1",
    "ru-moscow-1",
    "eu-west-101",
];

/// Regions with an IAM of their own; all others are served by the global one.
const IAM_REGIONS: [&str; 28] = [
    "cn-north-1",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-north-12",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "af-south-1",
    "sa-brazil-1",
    "la-south-2",
    "la-north-2",
    "na-mexico-1",
    "eu-west-0",
    "my-kualalumpur-1",
    "ru-moscow-1",
    "me-east-1",
    "ae-ad-1",
    "tr-west-1",
    "eu-west-101",
];

/// The IAM that serves every region without one of its own.
const GLOBAL_IAM: &str = "https://iam.myhuaweicloud.com";

/// The domain of all regions but the sovereign ones.
const COMMON_DOMAIN: &str = "myhuaweicloud.com";

/// The regions in which the vendor's table lists FunctionGraph.
pub fn known_regions() -> &'static [&'static str] {
    &FUNCTION_REGIONS
}

/// Whether the vendor's table lists FunctionGraph in the region.
pub fn is_known_region(region: &str) -> bool {
    FUNCTION_REGIONS.contains(&region)
}

/// The address of FunctionGraph in a region; an unknown region gets the common pattern too, since
/// new ones open more often than this list is renewed.
pub fn functions_url(region: &str) -> String {
    format!("https://functiongraph.{region}.{}", domain(region))
}

/// The address of the IAM that knows a region. A sovereign region never shares the global one.
pub fn iam_url(region: &str) -> String {
    if IAM_REGIONS.contains(&region) || domain(region) != COMMON_DOMAIN {
        format!("https://iam.{region}.{}", domain(region))
    } else {
        GLOBAL_IAM.to_owned()
    }
}

/// The European sovereign regions live under a domain of their own.
fn domain(region: &str) -> &'static str {
    if region.starts_with("eu-west-1") { "myhuaweicloud.eu" } else { COMMON_DOMAIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_vendors_pattern() {
        assert_eq!(
            functions_url("cn-north-4"),
            "https://functiongraph.cn-north-4.myhuaweicloud.com"
        );
        assert_eq!(
            functions_url("eu-west-101"),
            "https://functiongraph.eu-west-101.myhuaweicloud.eu"
        );
        assert_eq!(functions_url("xx-new-1"), "https://functiongraph.xx-new-1.myhuaweicloud.com");
        assert_eq!(iam_url("cn-north-4"), "https://iam.cn-north-4.myhuaweicloud.com");
        assert_eq!(iam_url("eu-west-101"), "https://iam.eu-west-101.myhuaweicloud.eu");
        assert_eq!(iam_url("eu-west-102"), "https://iam.eu-west-102.myhuaweicloud.eu");
        assert_eq!(iam_url("cn-north-11"), GLOBAL_IAM);
        assert!(is_known_region("tr-west-1") && !is_known_region("xx-new-1"));
    }
}
