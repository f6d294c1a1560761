"""Confluence, SharePoint and Salesforce, each against a stand-in on this machine that speaks the service's REST interface:
pages of listings, throttling, tokens that expire, what is deleted."""

import base64
import json
import threading
import urllib.parse

import pytest

from support.clients import client, raises
from support.knowledge import base, counted, ended, source, sync
from support.site import Site

ACCOUNT = "555544443331"
TENANT = "12345678-1234-1234-1234-123456789012"
JSON = "application/json"


def answer(request, value, status=200, **headers):
    request.answer(status, json.dumps(value), JSON, **headers)


class Service:
    """A stand-in: routes of its own, tokens that hold for so many requests, and answers of 429 on demand."""

    def __init__(self, site):
        self.site, self.tokens, self.given, self.left, self.busy = site, set(), 0, 10**9, 0
        self.forms = []

    def token(self, request, **more):
        body = request.body.decode()
        form = json.loads(body) if body.startswith("{") else dict(urllib.parse.parse_qsl(body))
        self.forms.append(form)
        self.given += 1
        self.tokens = {f"token-{self.given}"}
        answer(request, {"access_token": f"token-{self.given}", "token_type": "Bearer", **more})

    def expire_after(self, requests):
        self.left = requests

    def guarded(self, route):
        """The route, for those who have a token, when the service is not busy."""

        def guard(request):
            if self.left == 0:
                self.tokens, self.left = set(), 10**9
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                return answer(request, {"error": {"code": "InvalidAuthenticationToken"}}, 401)
            self.left -= 1
            if self.busy:
                self.busy -= 1
                return answer(request, {"error": {"code": "TooManyRequests"}}, 429, retry_after="0")
            return route(request)

        return guard


def query(request):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlparse(request.path).query))


def paged(request, rows, size=2):
    """Some of the rows, and where they go on."""
    start = int(query(request).get("cursor", 0))
    return rows[start : start + size], (start + size if start + size < len(rows) else None)


@pytest.fixture
def site():
    with Site() as running:
        yield running


def start(fresh, addresses, secrets, more=""):
    lines = ["[knowledge.addresses]", *[f'"{key}" = "{value}"' for key, value in addresses.items()]]
    for name, value in secrets.items():
        told = value if isinstance(value, str) else json.dumps(value)
        lines += [f"[secrets.{name}]", f'account = "{ACCOUNT}"', f"value = '{told}'"]
    running = fresh(config="\n".join(lines) + "\n" + more)
    running.start()
    return running


def secret(name):
    return f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-AbCdEf"


def agent_of(server):
    return client(server.url, "bedrock-agent", account=ACCOUNT)


def found(server, kb, text):
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    return runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": text})["retrievalResults"][0]


def patterns(*filters):
    return {"filterConfiguration": {"type": "PATTERN", "patternObjectFilter": {"filters": list(filters)}}}


def reasons(job):
    return " ".join(text for element in job.get("failureReasons", []) for text in json.loads(element))


WIKI = "https://observatory.atlassian.net"


def confluence(auth="BASIC", name="confluence", **crawler):
    told = {"sourceConfiguration": {
        "hostUrl": WIKI, "hostType": "SAAS", "authType": auth, "credentialsSecretArn": secret(name),
    }}
    if crawler:
        told["crawlerConfiguration"] = crawler
    return {"type": "CONFLUENCE", "confluenceConfiguration": told}


def entry(number, title, version=1, **more):
    return {
        "id": str(number), "title": title, "status": "current",
        "version": {"number": version, "createdAt": "2024-05-06T07:08:09.123Z"},
        "_links": {"webui": f"/spaces/OPS/pages/{number}"}, **more,
    }


class Confluence(Service):
    """`prefix` is what stands before the interface's paths with Atlassian's own login."""

    def __init__(self, site, prefix=""):
        super().__init__(site)
        self.tokens = {"Basic " + base64.b64encode(b"astronomer@example.com:api-token").decode()}
        self.pages = [entry(n, f"Guide {n}") for n in range(1, 6)] + [entry(9, "Draft of nothing")]
        self.bodies = {n: f"<p>Chapter {n} tells of telescope number {n}.</p>" for n in range(1, 10)}
        self.blogs = [entry(21, "Eclipse night")]
        self.bodies[21] = "<p>On the night of the eclipse forty visitors came.</p>"
        self.comments = [entry(31, "Re: Guide 1", pageId="1"), entry(32, "Re: elsewhere", pageId="77")]
        self.bodies[31] = "<p>The lens cap is kept in the blue drawer.</p>"
        self.attachments = [
            entry(41, "parts.txt", pageId="1", mediaType="text/plain", fileSize=40,
                  downloadLink="/download/attachments/1/parts.txt?version=1"),
        ]
        self.bodies[71] = "<p>Nobody reads of salaries.</p>"
        # What is answered in place of a listing.
        self.instead = None
        spaces = [{"id": "100", "key": "OPS", "name": "Operations"}, {"id": "200", "key": "HR", "name": "People"}]
        api = f"{prefix}/wiki/api/v2"
        listings = {
            "/spaces": lambda: spaces, "/spaces/100/pages": lambda: self.pages,
            "/spaces/100/blogposts": lambda: self.blogs, "/footer-comments": lambda: self.comments,
            "/inline-comments": lambda: [], "/attachments": lambda: self.attachments,
            "/spaces/200/pages": lambda: [entry(71, "Salaries")], "/spaces/200/blogposts": lambda: [],
        }
        for path, rows in listings.items():
            site.pages[api + path] = self.guarded(lambda request, rows=rows, path=path: self.listing(request, rows(), path))
        for number in self.bodies:
            for kind in ("pages", "blogposts", "footer-comments"):
                site.pages[f"{api}/{kind}/{number}"] = self.guarded(lambda request, number=number: self.body(request, number))
        site.pages[f"{prefix}/wiki/download/attachments/1/parts.txt"] = self.guarded(
            lambda request: request.answer(302, "", location="/media/parts?signature=x"))
        site.pages["/media/parts"] = self.media

    def listing(self, request, rows, path):
        if self.instead:
            return answer(request, self.instead)
        some, more = paged(request, rows)
        links = {"next": f"/wiki/api/v2{path}?cursor={more}&limit=250"} if more else {}
        answer(request, {"results": some, "_links": links})

    def body(self, request, number):
        assert query(request)["body-format"] == "view"
        answer(request, {"id": str(number), "body": {"view": {"value": self.bodies[number]}}})

    def media(self, request):
        # A signed address gets no token of anybody's.
        assert "authorization" not in request.headers
        request.answer(200, "Part 17 is the declination clutch.", "application/octet-stream")


def test_confluence_by_user_and_token(fresh, site):
    service = Confluence(site)
    login = {"username": "astronomer@example.com", "password": "api-token"}
    server = start(fresh, {WIKI: site.url}, {"confluence": login})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    filters = patterns(
        {"objectType": "Space", "inclusionFilters": ["^OPS$"]}, {"objectType": "Page", "exclusionFilters": ["^Draft"]},
    )
    ds = source(agent, kb, configuration=confluence(**filters))
    service.busy = 2
    done = sync(agent, kb, ds)
    # Five pages over three pages of the listing, a blog post, a comment, an attachment.
    assert counted(done) == {"DocumentsScanned": 8, "NewDocumentsIndexed": 8}, done
    one = found(server, kb, "Where is the lens cap?")
    assert one["location"] == {
        "type": "CONFLUENCE", "confluenceLocation": {"url": f"{WIKI}/wiki/spaces/OPS/pages/31"}}, one
    assert one["metadata"]["space"] == "OPS" and one["metadata"]["object_type"] == "Comment"
    assert one["metadata"]["title"] == "Re: Guide 1" and one["metadata"]["epoch_modification_time"] == 1714979289
    assert "clutch" in found(server, kb, "What is part 17?")["content"]["text"]
    assert not [path for path in site.asked if "/pages/9?" in path or "/spaces/200" in path]
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 8}
    service.pages[0] = entry(1, "Guide 1", 2)
    service.bodies[1] = "<p>Chapter 1 now tells of the new spectrograph.</p>"
    del service.pages[1]
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 7, "ModifiedDocumentsIndexed": 1, "DocumentsDeleted": 1,
    }
    assert "spectrograph" in found(server, kb, "spectrograph")["content"]["text"]
    # Nothing is lost where the service answers something else, does not come to an end, or lets nobody in.
    for instead, why in [
        ({"message": "maintenance"}, "has no results"),
        ({"results": [], "_links": {"next": "/wiki/api/v2/spaces?cursor=1"}}, "leads back"),
    ]:
        service.instead = instead
        done = sync(agent, kb, ds)
        assert done["status"] == "FAILED" and why in reasons(done) and counted(done) == {}, done
    service.instead = None
    service.tokens = set()
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "401" in reasons(done) and counted(done) == {}, done
    assert "spectrograph" in found(server, kb, "spectrograph")["content"]["text"]


def test_parts_that_confluence_refuses_leave_the_others(fresh, site):
    service = Confluence(site)
    login = {"username": "astronomer@example.com", "password": "api-token"}
    server = start(fresh, {WIKI: site.url}, {"confluence": login})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=confluence())
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 10, "NewDocumentsIndexed": 10}
    parts = {"inline-comments": ("inline-comments", 403), "spaces/200/pages": ("Pages of the space HR", 404)}
    before = {path: site.pages[f"/wiki/api/v2/{path}"] for path in parts}
    for path, (_, code) in parts.items():
        site.pages[f"/wiki/api/v2/{path}"] = service.guarded(
            lambda request, code=code: answer(request, {"message": "not for you"}, code))
    del service.pages[1]
    done = sync(agent, kb, ds)
    # Nothing is known to be gone while not everything is listed.
    assert done["status"] == "COMPLETE" and counted(done) == {"DocumentsScanned": 8}, done
    for name, _ in parts.values():
        assert f"{name} could not be listed" in reasons(done), done
    assert "salaries" in found(server, kb, "Who reads of salaries?")["content"]["text"]
    for path, route in before.items():
        site.pages[f"/wiki/api/v2/{path}"] = route
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 9, "DocumentsDeleted": 1} and "failureReasons" not in done, done


def test_confluence_renews_its_tokens_and_keeps_them(fresh, site, tmp_path):
    service = Confluence(site, "/ex/confluence/cloud-1")
    service.tokens = set()
    site.pages["/oauth/token/accessible-resources"] = service.guarded(
        lambda request: answer(request, [{"id": "cloud-0", "url": "https://other.atlassian.net"}, {"id": "cloud-1", "url": WIKI}]))
    site.pages["/oauth/token"] = lambda request: service.token(request, refresh_token=f"refresh-{service.given + 1}")
    file = tmp_path / "confluence.json"
    file.write_text(json.dumps({
        "confluenceAppKey": "key", "confluenceAppSecret": "app-secret", "confluenceAccessToken": "old",
        "confluenceRefreshToken": "refresh-0",
    }))
    addresses = {"https://api.atlassian.com": site.url, "https://auth.atlassian.com": site.url}
    server = start(fresh, addresses, {"confluence": f"file:{file}"})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=confluence("OAUTH2_CLIENT_CREDENTIALS"))
    service.expire_after(4)
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 10, "NewDocumentsIndexed": 10}, done
    assert [form["refresh_token"] for form in service.forms] == ["refresh-0", "refresh-1"]
    kept = json.loads(file.read_text())
    assert (kept["confluenceRefreshToken"], kept["confluenceAccessToken"]) == ("refresh-2", "token-2")
    assert kept["confluenceAppSecret"] == "app-secret"
    # A server that starts anew goes on with what was written.
    server.stop()
    server.start()
    assert counted(sync(agent_of(server), kb, ds)) == {"DocumentsScanned": 10}
    assert service.forms[-1]["refresh_token"] == "refresh-2"


def test_two_sources_share_a_secret_that_is_renewed(fresh, site, tmp_path):
    service = Confluence(site, "/ex/confluence/cloud-1")
    service.tokens = set()
    site.pages["/oauth/token/accessible-resources"] = service.guarded(
        lambda request: answer(request, [{"id": "cloud-1", "url": WIKI}]))

    def renewed(request):
        # A token that renews holds once.
        if json.loads(request.body)["refresh_token"] != f"refresh-{service.given}":
            return answer(request, {"error": "invalid_grant"}, 403)
        service.token(request, refresh_token=f"refresh-{service.given + 1}")

    site.pages["/oauth/token"] = renewed
    spaces = "/ex/confluence/cloud-1/wiki/api/v2/spaces"
    listing, arrived, go = site.pages[spaces], threading.Event(), threading.Event()

    def held(request):
        site.pages[spaces] = listing
        arrived.set()
        go.wait(60)
        listing(request)

    site.pages[spaces] = held
    file = tmp_path / "confluence.json"
    file.write_text(json.dumps({
        "confluenceAppKey": "key", "confluenceAppSecret": "app-secret", "confluenceAccessToken": "old",
        "confluenceRefreshToken": "refresh-0",
    }))
    addresses = {"https://api.atlassian.com": site.url, "https://auth.atlassian.com": site.url}
    agent = agent_of(start(fresh, addresses, {"confluence": f"file:{file}"}))
    places = []
    for name in ("one", "two"):
        kb = base(agent, ACCOUNT, name)
        places.append((kb, source(agent, kb, configuration=confluence("OAUTH2_CLIENT_CREDENTIALS"))))
    first, second = places
    job = agent.start_ingestion_job(knowledgeBaseId=first[0], dataSourceId=first[1])["ingestionJob"]["ingestionJobId"]
    assert arrived.wait(60)
    try:
        # The second one's login ends the first one's token.
        assert counted(sync(agent, *second)) == {"DocumentsScanned": 10, "NewDocumentsIndexed": 10}
    finally:
        go.set()
    assert counted(ended(agent, *first, job)) == {"DocumentsScanned": 10, "NewDocumentsIndexed": 10}
    assert [form["refresh_token"] for form in service.forms] == ["refresh-0", "refresh-1"]


GRAPH = "/v1.0"


class Graph(Service):
    def __init__(self, site):
        super().__init__(site)
        self.files = {n: f"File {n} tells of dome number {n}." for n in range(1, 6)}
        self.tags = dict.fromkeys(self.files, 1)
        self.title = "Opening hours"
        site.pages[f"/{TENANT}/oauth2/v2.0/token"] = lambda request: self.token(request)
        routes = {
            "/sites/contoso.sharepoint.com:/sites/Dome": lambda request: answer(request, {"id": "site-1"}),
            "/sites/site-1/drives": lambda request: self.rows(request, [{"id": "drive-1", "name": "Documents"}]),
            "/drives/drive-1/root/delta": self.delta,
            "/sites/site-1/pages/microsoft.graph.sitePage": lambda request: self.rows(request, [{
                "id": "page-1", "title": self.title, "webUrl": "https://contoso.sharepoint.com/sites/Dome/Hours.aspx",
                "eTag": self.title, "lastModifiedDateTime": "2024-05-06T07:08:09Z"}]),
            "/sites/site-1/pages/page-1/microsoft.graph.sitePage": lambda request: answer(request, {"canvasLayout": {
                "horizontalSections": [{"columns": [{"webparts": [
                    {"innerHtml": "<p>The visitor centre opens at nine.</p>"}]}]}]}}),
            "/sites/site-1/lists": lambda request: self.rows(request, [
                {"id": "list-0", "list": {"template": "genericList"}}, {"id": "list-1", "list": {"template": "events"}}]),
            "/sites/site-1/lists/list-1/items": lambda request: self.rows(request, [{
                "id": "5", "eTag": "e1", "webUrl": "https://contoso.sharepoint.com/sites/Dome/Lists/Events/5",
                "fields": {"Title": "Star party"}}]),
            "/sites/site-1/lists/list-1/items/5": lambda request: answer(request, {"fields": {
                "Title": "Star party", "EventDate": "2024-08-12T20:00:00Z",
                "Description": "<p>Bring a red torch to the star party.</p>"}}),
        }
        for path, route in routes.items():
            site.pages[GRAPH + path] = self.guarded(route)
        for n in self.files:
            site.pages[f"{GRAPH}/drives/drive-1/items/f{n}/content"] = self.guarded(
                lambda request, n=n: request.answer(302, "", location=f"{site.url}/download/{n}?sig=x"))
            site.pages[f"/download/{n}"] = lambda request, n=n: request.answer(
                200, self.files[n], "application/octet-stream", **self.unsigned(request))

    def unsigned(self, request):
        assert "authorization" not in request.headers
        return {}

    def rows(self, request, rows):
        some, more = paged(request, rows)
        link = {"@odata.nextLink": f"https://graph.microsoft.com{urllib.parse.urlparse(request.path).path}?cursor={more}"}
        answer(request, {"value": some, **(link if more else {})})

    def delta(self, request):
        rows = [{"id": "root", "name": "root", "folder": {}}]
        # What changes while the feed is read comes in it again.
        rows += [{"id": "f1", "name": "was.txt", "file": {}, "cTag": "c0", "webUrl": "https://contoso.sharepoint.com/was.txt"}]
        rows += [{"id": f"f{n}", "name": f"dome-{n}.txt", "file": {"mimeType": "text/plain"}, "size": 30,
                  "cTag": f"c{tag}", "webUrl": f"https://contoso.sharepoint.com/sites/Dome/Documents/dome-{n}.txt",
                  "lastModifiedDateTime": "2024-05-06T07:08:09Z"} for n, tag in self.tags.items()]
        rows += [{"id": "n1", "name": "Notes.one", "file": {}}, {"id": "x", "name": "gone.txt", "file": {}, "deleted": {}}]
        self.rows(request, rows)


def sharepoint(auth="OAUTH2_CLIENT_CREDENTIALS", tenant=TENANT, **crawler):
    told = {"sourceConfiguration": {
        "domain": "contoso", "siteUrls": ["https://contoso.sharepoint.com/sites/Dome"], "hostType": "ONLINE",
        "authType": auth, "credentialsSecretArn": secret("sharepoint"), **({"tenantId": tenant} if tenant else {}),
    }}
    if crawler:
        told["crawlerConfiguration"] = crawler
    return {"type": "SHAREPOINT", "sharePointConfiguration": told}


def test_sharepoint_by_graph(fresh, site):
    service = Graph(site)
    addresses = {"https://graph.microsoft.com": site.url, "https://login.microsoftonline.com": site.url}
    server = start(fresh, addresses, {"sharepoint": {"clientId": "app", "clientSecret": "s&cret="}})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    filters = patterns({"objectType": "File", "exclusionFilters": [r"dome-5\.txt"]})
    ds = source(agent, kb, configuration=sharepoint(**filters))
    service.expire_after(3)
    service.busy = 1
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 6, "NewDocumentsIndexed": 6}, done
    assert service.given == 2 and service.forms[0] == {
        "grant_type": "client_credentials", "client_id": "app", "client_secret": "s&cret=",
        "scope": "https://graph.microsoft.com/.default",
    }
    one = found(server, kb, "When does the visitor centre open?")
    assert one["location"] == {"type": "SHAREPOINT", "sharePointLocation": {
        "url": "https://contoso.sharepoint.com/sites/Dome/Hours.aspx"}}, one
    assert one["metadata"]["title"] == "Opening hours" and one["metadata"]["object_type"] == "Page"
    assert "red torch" in found(server, kb, "What to bring to the star party?")["content"]["text"]
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 6}
    service.tags[1] = 2
    service.files[1] = "File 1 now tells of the robotic dome."
    del service.tags[2]
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 5, "ModifiedDocumentsIndexed": 1, "DocumentsDeleted": 1,
    }
    # A file that cannot be had now stays as it is known.
    service.tags[3] = 2
    had = site.pages["/download/3"]
    site.pages["/download/3"] = lambda request: request.answer(500, "")
    done = sync(agent, kb, ds)
    assert done["status"] == "COMPLETE" and counted(done) == {"DocumentsScanned": 5, "DocumentsFailed": 1}, done
    assert found(server, kb, "dome number 3")["content"]["text"] == "File 3 tells of dome number 3."
    # Files that vanish between the listing and their reading: one that was known counts as deleted, a new one as failed.
    site.pages["/download/3"] = had
    for n in (4, 6):
        service.tags[n] = 2
        site.pages[f"{GRAPH}/drives/drive-1/items/f{n}/content"] = service.guarded(
            lambda request: answer(request, {"error": {"code": "itemNotFound"}}, 404))
    done = sync(agent, kb, ds)
    assert counted(done) == {
        "DocumentsScanned": 6, "ModifiedDocumentsIndexed": 1, "DocumentsDeleted": 1, "DocumentsFailed": 1,
    }, done
    assert "dome-6.txt" in done["failureReasons"][0] and "deleted while the job ran" in done["failureReasons"][0], done
    del service.tags[4], service.tags[6]
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 4}


CRM = "https://observatory.my.salesforce.com"
DATA = "/services/data/v61.0"


class Salesforce(Service):
    def __init__(self, site):
        super().__init__(site)
        self.accounts = {f"001{n}": f"Club {n}" for n in range(1, 6)}
        self.stamps = dict.fromkeys(self.accounts, "2024-05-06T07:08:09.000+0000")
        # Kinds of objects that are not answered for: status and code.
        self.refused = {}
        site.pages["/services/oauth2/token"] = lambda request: self.token(request, instance_url=CRM)
        site.pages[f"{DATA}/query"] = self.guarded(self.query)
        site.pages[f"{DATA}/query/next-1"] = self.guarded(lambda request: self.page(request, 2))
        site.pages[f"{DATA}/query/next-2"] = self.guarded(lambda request: self.page(request, 4))
        for key in self.accounts:
            site.pages[f"{DATA}/sobjects/Account/{key}"] = self.guarded(lambda request, key=key: answer(request, {
                "attributes": {"type": "Account"}, "Id": key, "Name": self.accounts[key], "Phone": None,
                "Description": f"The {self.accounts[key]} owns {key} binoculars.", "IsDeleted": False}))
        site.pages[f"{DATA}/sobjects/ContentVersion/0681/VersionData"] = self.guarded(
            lambda request: request.answer(200, "# Contract\n\nThe contract of the club ends in March.", "application/octetstream"))

    def query(self, request):
        statement = query(request)["q"]
        name = statement.split(" FROM ")[1].split()[0]
        if name in self.refused:
            code, error = self.refused[name]
            return answer(request, [{"errorCode": error, "message": "refused"}], code)
        if name == "Account":
            assert statement == "SELECT Id,SystemModstamp,Name FROM Account"
            return self.page(request, 0)
        if name == "ContentVersion":
            assert statement.endswith("WHERE IsLatest = true")
            row = {"Id": "0681", "SystemModstamp": "2024-05-06T07:08:09.000+0000", "Title": "Contract", "PathOnClient": "contract.md"}
            return answer(request, {"done": True, "records": [row]})
        if name in ("Idea", "Knowledge__kav"):
            return answer(request, [{"errorCode": "INVALID_TYPE", "message": "no such object"}], 400)
        answer(request, {"done": True, "records": []})

    def page(self, request, start):
        rows = [{"attributes": {"type": "Account"}, "Id": key, "Name": name, "SystemModstamp": self.stamps[key]}
                for key, name in self.accounts.items()]
        more = start + 2 < len(rows)
        answer(request, {"done": not more, "records": rows[start : start + 2],
                         **({"nextRecordsUrl": f"{DATA}/query/next-{start // 2 + 1}"} if more else {})})


def salesforce(**crawler):
    told = {"sourceConfiguration": {
        "hostUrl": CRM, "authType": "OAUTH2_CLIENT_CREDENTIALS", "credentialsSecretArn": secret("crm"),
    }}
    if crawler:
        told["crawlerConfiguration"] = crawler
    return {"type": "SALESFORCE", "salesforceConfiguration": told}


CRM_LOGIN = {"consumerKey": "key", "consumerSecret": "secret", "authenticationUrl": CRM}


def test_salesforce_by_queries(fresh, site):
    service = Salesforce(site)
    server = start(fresh, {CRM: site.url}, {"crm": CRM_LOGIN})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    filters = patterns({"objectType": "Account", "exclusionFilters": ["Club 5"]})
    ds = source(agent, kb, configuration=salesforce(**filters))
    service.expire_after(2)
    service.busy = 1
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 5, "NewDocumentsIndexed": 5}, done
    assert service.given == 2 and service.forms[0] == {
        "grant_type": "client_credentials", "client_id": "key", "client_secret": "secret"}
    one = found(server, kb, "Which club owns 0012 binoculars?")
    assert one["location"] == {"type": "SALESFORCE", "salesforceLocation": {"url": f"{CRM}/0012"}}, one
    assert one["metadata"]["object_type"] == "Account" and one["metadata"]["title"] == "Club 2"
    assert "March" in found(server, kb, "When does the contract end?")["content"]["text"]
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 5}
    service.stamps["0011"] = "2024-06-06T07:08:09.000+0000"
    del service.accounts["0012"]
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 4, "ModifiedDocumentsIndexed": 1, "DocumentsDeleted": 1,
    }


def test_objects_that_salesforce_refuses_leave_the_others(fresh, site):
    service = Salesforce(site)
    server = start(fresh, {CRM: site.url}, {"crm": CRM_LOGIN})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=salesforce())
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 6, "NewDocumentsIndexed": 6}
    service.refused = {
        "ContentVersion": (403, "INSUFFICIENT_ACCESS"), "Case": (400, "INVALID_FIELD"),
        "FeedComment": (400, "MALFORMED_QUERY"),
    }
    service.stamps["0011"] = "2024-06-06T07:08:09.000+0000"
    del service.accounts["0012"]
    done = sync(agent, kb, ds)
    # Nothing is known to be gone while not everything is listed.
    assert done["status"] == "COMPLETE", done
    assert counted(done) == {"DocumentsScanned": 4, "ModifiedDocumentsIndexed": 1}, done
    for name, (_, error) in service.refused.items():
        assert f"{name} could not be listed" in reasons(done) and error in reasons(done), done
    assert "March" in found(server, kb, "When does the contract end?")["content"]["text"]
    service.refused = {}
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 5, "DocumentsDeleted": 1} and "failureReasons" not in done, done
    # Where everything is refused, it is no part.
    site.pages[f"{DATA}/query"] = service.guarded(
        lambda request: answer(request, [{"errorCode": "API_DISABLED_FOR_ORG"}], 403))
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "API_DISABLED_FOR_ORG" in reasons(done) and counted(done) == {}, done


ROLE = f"""
[access.policies.models]
json = '''{{"Version": "2012-10-17", "Statement": [
  {{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}}]}}'''
[[access.roles]]
account = "{ACCOUNT}"
name = "bedrock-kb-role"
policies = ["models"]
trust = '''{{"Version": "2012-10-17", "Statement": [
  {{"Effect": "Allow", "Principal": {{"Service": "bedrock.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}}'''
"""


def test_a_secret_opens_to_roles_that_may(fresh, site):
    Salesforce(site)
    server = start(fresh, {CRM: site.url}, {"crm": CRM_LOGIN}, ROLE)
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=salesforce())
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "secretsmanager:GetSecretValue" in reasons(done), done
    assert site.asked == []


REFUSED = [
    (sharepoint("OAUTH2_SHAREPOINT_APP_ONLY_CLIENT_CREDENTIALS"), "has ended"),
    (sharepoint(tenant=None), "tenantId is required"),
    (sharepoint(**patterns({"objectType": "Spaceship"})), "Page, Event, File"),
    (confluence(**patterns({"objectType": "Page", "inclusionFilters": ["("]})), "not a valid regular expression"),
    (salesforce(filterConfiguration={"type": "PATTERN"}), "patternObjectFilter is required"),
    ({"type": "CONFLUENCE"}, "confluenceConfiguration is required"),
]


def test_what_cannot_be_is_refused(fresh):
    server = start(fresh, {}, {})
    agent = agent_of(server)
    kb = base(agent, ACCOUNT)
    for n, (configuration, text) in enumerate(REFUSED):
        raises(lambda n=n, told=configuration: source(agent, kb, f"s{n}", told), "ValidationException", text)
    # A secret that nobody declared.
    ds = source(agent, kb, configuration=salesforce())
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "[secrets]" in reasons(done), done
