//! The service without its sockets: a request in, an answer out.

use super::auth::{Access, Refusal, header};
use super::chance::draw;
use super::faults::{Engine, Fault, Faults};
use super::iam;
use super::journal::Journal;
use super::listing::{Listed, Listing, Query};
use super::query::Parameters;
use super::readings::Readings;
use super::routes::{Route, RouteName};
use super::wire::{self, Answer, Asked, AsyncConfig, ErrorBody, FunctionItem, Functions};
use super::world::{Function, World};
use crate::domain::{FunctionRef, FunctionUrn, Timestamp};
use axum::http::Method;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The most functions of a page, and what a page has when nothing is asked (API reference,
/// `ListFunctions`).
const MOST_FUNCTIONS: u64 = 400;

/// The stand-in service: a world, a reading of the vendor's page, and what goes wrong. Clones share
/// all of it.
#[derive(Clone)]
pub struct Emulator(Arc<Inner>);

struct Inner {
    world: World,
    readings: Readings,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    engine: RwLock<Arc<Engine>>,
    access: Mutex<Access>,
    journal: Mutex<Journal>,
    requests: AtomicU64,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("spec", self.world().spec()).finish_non_exhaustive()
    }
}

/// A request that has arrived: its number, where it leads, when it came, and what goes wrong with
/// it.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) number: u64,
    pub(super) route: Route,
    pub(super) now: Timestamp,
    pub(super) faults: Vec<Fault>,
}

impl Emulator {
    /// Serves a world. `clock` tells the service's time.
    pub fn new(
        world: World,
        readings: Readings,
        faults: Faults,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            world,
            readings,
            clock: Box::new(clock),
            engine: RwLock::new(Arc::new(Engine::new(faults))),
            access: Mutex::default(),
            journal: Mutex::default(),
            requests: AtomicU64::new(0),
        }))
    }

    /// The world it serves.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// How it reads the vendor's page.
    pub fn readings(&self) -> &Readings {
        &self.0.readings
    }

    /// The service's time.
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// The requests so far.
    pub fn journal(&self) -> Journal {
        lock(&self.0.journal).clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        *lock(&self.0.journal) = Journal::default();
    }

    /// Signatures refused in a row; more than five lock the key for five minutes.
    pub fn refused_signatures(&self) -> u32 {
        lock(&self.0.access).failures()
    }

    /// Ends every token that IAM has issued, as a change of the password does.
    pub fn expire_tokens(&self) {
        lock(&self.0.access).expire_tokens(self.now());
    }

    /// Replaces what goes wrong, from the next request on.
    pub fn set_faults(&self, faults: Faults) {
        *self.0.engine.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Engine::new(faults));
    }

    /// Counts a request and decides what goes wrong with it.
    pub(super) fn receive(&self, asked: &Asked) -> Arrival {
        let route = Route::of(&asked.method, &asked.path);
        let engine = Arc::clone(&self.0.engine.read().unwrap_or_else(PoisonError::into_inner));
        let urn = route.function.parse::<FunctionUrn>().ok();
        let is_about = |name: &str| urn.as_ref().is_some_and(|urn| urn.name() == name);
        let faults = engine.strike(route.name, |id| self.holds(asked, &route, id), is_about);
        if route.name == RouteName::Invocations {
            lock(&self.0.journal).note_listing(&route.function, &asked.query);
        }
        self.arrive(route, faults)
    }

    /// Counts a request that cannot be read, and so is answered without its faults.
    pub(super) fn receive_unread(&self, method: &Method, path: &str) -> Arrival {
        self.arrive(Route::of(method, path), Vec::new())
    }

    fn arrive(&self, route: Route, faults: Vec<Fault>) -> Arrival {
        lock(&self.0.journal).note(route.name, faults.len());
        Arrival {
            number: self.0.requests.fetch_add(1, Ordering::SeqCst),
            route,
            now: self.now(),
            faults,
        }
    }

    /// The answer, before anything happens to it on its way.
    pub(super) fn answer(&self, asked: &Asked, arrival: &Arrival) -> Answer {
        let id = request_id(arrival.number);
        let answer = self.respond(asked, arrival, &id).unwrap_or_else(|refused| refused);
        answer.with(arrival.route.name.id_header(), id)
    }

    fn respond(&self, asked: &Asked, arrival: &Arrival, id: &str) -> Result<Answer, Answer> {
        if arrival.route.name == RouteName::Tokens {
            return Ok(iam::issue_token(asked, &mut lock(&self.0.access), arrival.now));
        }
        let iam = arrival.route.name.is_iam();
        self.admit(asked, arrival)
            .map_err(|refusal| if iam { iam::turn_away(refusal) } else { refuse(refusal, id) })?;
        let parameters = Parameters::parse(&asked.query);
        match arrival.route.name {
            RouteName::Tokens | RouteName::Unknown => {
                Err(gateway(404, "APIGW.0101", "The API does not exist", id))
            }
            RouteName::Projects => Ok(iam::projects(&parameters)),
            RouteName::Functions => self.functions(&arrival.route, &parameters),
            RouteName::AsyncConfig => self.async_config(&arrival.route),
            RouteName::Invocations => self.invocations(arrival, &parameters, false),
            RouteName::ActiveInvocations => self.invocations(arrival, &parameters, true),
        }
    }

    fn admit(&self, asked: &Asked, arrival: &Arrival) -> Result<(), Refusal> {
        let mut access = lock(&self.0.access);
        if arrival.faults.contains(&Fault::ExpiredToken)
            && header(&asked.headers, "x-auth-token").is_some()
        {
            access.expire_tokens(arrival.now);
            return Err(Refusal::Expired);
        }
        access.admit(asked, arrival.now)
    }

    /// Whether the page that a request asks for holds the record of this id.
    fn holds(&self, asked: &Asked, route: &Route, id: &str) -> bool {
        let (readings, parameters) = (self.readings(), Parameters::parse(&asked.query));
        let active = route.name == RouteName::ActiveInvocations;
        let (Ok((function, _)), Ok(query)) =
            (self.function(route), parameters.listing(readings, active))
        else {
            return false;
        };
        let request = self.0.requests.load(Ordering::SeqCst);
        let listing =
            Listing { world: self.world(), readings, function, now: self.now(), request, slid: 0 };
        listing.page(&query).records.iter().any(|shown| shown.id.to_string() == id)
    }

    /// What "active" means is not documented: these are the same records, asked for by up to ten
    /// ids.
    fn invocations(
        &self,
        arrival: &Arrival,
        parameters: &Parameters,
        active: bool,
    ) -> Result<Answer, Answer> {
        let (function, _) = self.function(&arrival.route)?;
        let readings = self.readings();
        let query = parameters.listing(readings, active).map_err(|reason| invalid(&reason))?;
        let slid = arrival
            .faults
            .iter()
            .map(|fault| if let Fault::Slid { records } = fault { *records } else { 0 })
            .sum();
        let listing = Listing {
            world: self.world(),
            readings,
            function,
            now: arrival.now,
            request: arrival.number,
            slid,
        };
        let listed = mislead(listing.page(&query), &query, &arrival.faults);
        lock(&self.0.journal).note_records(listed.records.len());
        Ok(Answer::json(200, wire::listing(&listed, readings)))
    }

    fn functions(&self, route: &Route, parameters: &Parameters) -> Result<Answer, Answer> {
        self.check_project(route)?;
        let number = |name| parameters.number(name).map_err(|reason| invalid(&reason));
        let (all, marker) = (self.world().functions(), number("marker")?.unwrap_or(0));
        // Zero, or more than the maximum, means the maximum.
        let most = number("maxitems")?
            .filter(|&most| most > 0)
            .unwrap_or(MOST_FUNCTIONS)
            .min(MOST_FUNCTIONS);
        let most = self.readings().function_page_cap.map_or(most, |cap| most.min(cap));
        let from = usize::try_from(marker).unwrap_or(usize::MAX).min(all.len());
        let to = from.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(all.len());
        let items =
            all[from..to].iter().map(|function| function_item(function, self.world())).collect();
        Ok(Answer::of(200, &Functions { items, next_marker: to, count: all.len() }))
    }

    fn async_config(&self, route: &Route) -> Result<Answer, Answer> {
        let (_, function) = self.function(route)?;
        if !function.is_logged() {
            return Err(fss(404, "FSS.0404", "can not find async invoke config"));
        }
        let since = self.world().begin().to_wire();
        Ok(Answer::of(
            200,
            &AsyncConfig {
                func_urn: format!("{}:latest", function.urn()),
                max_async_event_age_in_seconds: 3_600,
                max_async_retry_attempts: 1,
                created_time: since.clone(),
                last_modified: since,
                enable_async_status_log: true,
            },
        ))
    }

    fn function(&self, route: &Route) -> Result<(usize, &Function), Answer> {
        self.check_project(route)?;
        let named: FunctionRef =
            route.function.parse().map_err(|_| fss(400, "FSS.1309", "invalid function urn"))?;
        let spec = self.world().spec();
        let number = self.world().find(&named.resolve(spec.region, spec.project_id));
        let found = number.and_then(|number| Some((number, self.world().functions().get(number)?)));
        found.ok_or_else(|| fss(404, "FSS.0404", "can not find function"))
    }

    /// A project in the path that is not the token's is refused.
    fn check_project(&self, route: &Route) -> Result<(), Answer> {
        let is_known = route.project == self.world().spec().project_id;
        if is_known { Ok(()) } else { Err(fss(403, "FSS.0403", "invalid token")) }
    }
}

/// A poisoned lock guards counters that are still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name in the service's manner: 32 hexadecimal digits.
pub(super) fn request_id(number: u64) -> String {
    format!("{:016x}{:016x}", draw(7, number, 0), draw(7, number, 1))
}

/// Applies the faults that make a page point elsewhere.
fn mislead(listed: Listed, query: &Query, faults: &[Fault]) -> Listed {
    faults.iter().fold(listed, |listed, fault| match fault {
        Fault::StuckMarker => Listed { next_marker: Some(query.marker), ..listed },
        Fault::RepeatedMarker => {
            Listed { next_marker: Some(query.marker.saturating_sub(query.limit)), ..listed }
        }
        _ => listed,
    })
}

fn function_item(function: &Function, world: &World) -> FunctionItem {
    let urn = function.urn();
    FunctionItem {
        resource_id: format!("fgs/{}/{}", urn.package(), urn.name()),
        namespace: world.spec().project_id,
        project_name: world.spec().region,
        package: urn.package().to_owned(),
        runtime: "Python3.9",
        timeout: 900,
        handler: "index.handler",
        memory_size: 512,
        cpu: 500,
        code_type: "inline",
        code_filename: "index.zip",
        code_size: 272,
        digest: String::new(),
        version: "latest",
        image_name: String::new(),
        last_modified: format!("{}+08:00", world.begin().to_wire()),
        func_urn: urn.to_string(),
        func_name: urn.name().to_owned(),
        kind: "v2",
        fail_count: 0,
    }
}

/// An error of the service itself.
pub(super) fn fss(status: u16, code: &str, message: &str) -> Answer {
    Answer::of(status, &ErrorBody { error_code: code, error_msg: message, request_id: None })
}

fn invalid(reason: &str) -> Answer {
    fss(400, "FSS.1001", &format!("invalid query parameter: {reason}"))
}

/// An error of the gateway before it.
pub(super) fn gateway(status: u16, code: &str, message: &str, id: &str) -> Answer {
    Answer::of(status, &ErrorBody { error_code: code, error_msg: message, request_id: Some(id) })
}

fn refuse(refusal: Refusal, id: &str) -> Answer {
    let wrong = |detail| {
        gateway(
            401,
            "APIGW.0301",
            &format!("Incorrect IAM authentication information: {detail}"),
            id,
        )
    };
    match refusal {
        Refusal::Missing => wrong("x-auth-token not found"),
        Refusal::Token => wrong("decrypt token fail"),
        Refusal::Signature => wrong("verify aksk signature fail"),
        Refusal::Locked => wrong("AK access failed to reach the limit, forbidden"),
        Refusal::Skew => gateway(
            401,
            "APIGW.0303",
            "Incorrect app authentication information: signature expired",
            id,
        ),
        Refusal::Expired => gateway(401, "APIG.0307", "The token must be updated", id),
        Refusal::Unscoped => fss(403, "FSS.0403", "invalid token"),
    }
}
