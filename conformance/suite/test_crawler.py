"""Data sources of the type WEB, against sites on this machine: what is crawled, what is left alone, what a sync changes."""

import gzip
import json
import subprocess

import pytest

from support.clients import client, raises
from support.knowledge import base, counted, ended, given, source, statuses, sync
from support.server import BIN, environment
from support.site import Site, page, status
from support.waiting import until

ACCOUNT = "555544443332"
FAST = {"crawlerLimits": {"rateLimit": 300}}


@pytest.fixture
def site():
    with Site() as running:
        yield running


@pytest.fixture
def server(fresh, site):
    running = fresh(config=f'[knowledge.crawler]\nprivate = ["{site.address}"]\n')
    running.start()
    return running


@pytest.fixture
def agent(server):
    return client(server.url, "bedrock-agent", account=ACCOUNT)


def web(*seeds, **crawler):
    source = {"urlConfiguration": {"seedUrls": [{"url": seed} for seed in seeds]}}
    return {"type": "WEB", "webConfiguration": {
        "sourceConfiguration": source, "crawlerConfiguration": {**FAST, **crawler},
    }}


def crawled(agent, *seeds, **crawler):
    kb = base(agent, ACCOUNT)
    ds = source(agent, kb, configuration=web(*seeds, **crawler))
    return kb, ds


def reasons(job):
    return " ".join(text for element in job.get("failureReasons", []) for text in json.loads(element))


def test_a_site_is_crawled_and_found_again(server, agent, site):
    site.pages = {
        "/docs/": page("Start", "Everything about the observatory.", "dome.html", "/blog/", "#top", "mirror.html#part"),
        "/docs/dome.html": page("Dome", "The dome of the observatory opens at dusk, never in rain.", "../docs/./"),
        "/docs/mirror.html": page("Mirror", "The mirror is coated with aluminium every two years.", "notes.txt"),
        "/docs/notes.txt": lambda request: request.answer(
            200, "Telescope notes: the finder scope is stored in cabinet nine.", "text/plain", etag='"1"'),
        "/blog/": page("Blog", "Not in the scope."),
    }
    kb, ds = crawled(agent, f"{site.url}/docs/", userAgent="docs-of-the-observatory")
    done = sync(agent, kb, ds)
    assert done["status"] == "COMPLETE" and "failureReasons" not in done, done
    assert counted(done) == {"DocumentsScanned": 4, "NewDocumentsIndexed": 4}
    assert "/blog/" not in site.asked and site.count("/docs/dome.html") == 1 and site.count("/docs/") == 1
    assert site.count("/robots.txt") == 1
    (name,) = site.agents
    assert name.startswith("bedrockbot-") and name.endswith(" docs-of-the-observatory")

    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)

    def first(text):
        return runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": text})["retrievalResults"][0]

    found = first("When does the dome open?")
    url = f"{site.url}/docs/dome.html"
    assert found["location"] == {"type": "WEB", "webLocation": {"url": url}}, found
    assert found["metadata"]["x-amz-bedrock-kb-source-uri"] == url
    assert "opens at dusk" in found["content"]["text"]
    assert first("Where is the finder scope?")["location"]["webLocation"]["url"] == f"{site.url}/docs/notes.txt"

    # Nothing new: pages are asked for, and nothing is read again.
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 4}
    site.pages["/docs/dome.html"] = page("Dome", "The dome stays closed this month for repairs.")
    del site.pages["/docs/mirror.html"]
    # The notes are not linked any more.
    assert counted(sync(agent, kb, ds)) == {
        "DocumentsScanned": 2, "ModifiedDocumentsIndexed": 1, "DocumentsDeleted": 2,
    }
    assert "closed this month" in first("When does the dome open?")["content"]["text"]
    listed = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "aluminium mirror"})["retrievalResults"]
    assert {one["location"]["webLocation"]["url"] for one in listed} == {f"{site.url}/docs/", url}


def managed(agent):
    asked = given(ACCOUNT, "managed", knowledgeBaseConfiguration={
        "type": "MANAGED", "managedKnowledgeBaseConfiguration": {"embeddingModelType": "MANAGED"},
    })
    del asked["storageConfiguration"]
    return agent.create_knowledge_base(**asked)["knowledgeBase"]["knowledgeBaseId"]


def connector(seed, **rest):
    parameters = {"type": "WEB", "version": "1", "connectionConfiguration": {"seedUrls": [seed], "authType": "NO_AUTH"}}
    return {"type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR", "managedKnowledgeBaseConnectorConfiguration": {
        "connectorParameters": {**parameters, **rest},
    }}


def test_a_managed_connector_crawls_as_far_as_it_is_told(server, agent, site):
    site.pages = {
        "/": page("Start", "The first page.", "/a.html", "/x.html", "/y.html"),
        "/a.html": page("A", "The page a has the word heliograph.", "/b.html"),
        "/b.html": page("B", "The page b is two links away."),
        "/x.html": page("X", "The page x is left out by a pattern."),
        "/y.html": page("Y", "The page y is one link too many."),
    }
    kb = managed(agent)
    bounds = {"crawlDepth": 1, "maxLinksPerUrl": 1, "maxCrawledUrlsPerMinute": 300}
    ds = source(agent, kb, configuration=connector(
        site.url, crawlConfiguration=bounds, filterConfiguration={"exclusionPatterns": ["/x"]}))
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 2, "NewDocumentsIndexed": 2}
    runtime = client(server.url, "bedrock-agent-runtime", account=ACCOUNT)
    found = runtime.retrieve(knowledgeBaseId=kb, retrievalQuery={"text": "heliograph"})["retrievalResults"][0]
    assert found["location"] == {"type": "WEB", "webLocation": {"url": f"{site.url}/a.html"}}
    raises(
        lambda: source(agent, kb, "login", configuration=connector(site.url, connectionConfiguration={
            "seedUrls": [site.url], "authType": "BASIC_AUTH"})),
        "NotImplementedException", "authentication other than NO_AUTH", 501,
    )


def test_a_managed_connector_begins_at_sitemaps(agent, site):
    site.pages = {
        "/docs/map.xml": f"<sitemapindex><sitemap><loc>{site.url}/docs/more.xml</loc></sitemap></sitemapindex>",
        "/docs/more.xml": "<urlset>" + "".join(
            f"<url><loc>{site.url}/{path}</loc></url>" for path in ("docs/a.html", "docs/c.html", "blog/x.html")) + "</urlset>",
        "/docs/a.html": page("A", "The page a leads to b.", "/docs/b.html"),
        "/docs/b.html": page("B", "The page b is one link away."),
        "/docs/c.html": page("C", "The page c."),
        "/blog/x.html": page("X", "Not beside the sitemap."),
    }
    kb = managed(agent)

    def mapped(name, depth):
        told = {"siteMapUrls": [f"{site.url}/docs/map.xml"], "authType": "NO_AUTH"}
        bounds = {"crawlDepth": depth, "maxCrawledUrlsPerMinute": 300}
        return source(agent, kb, name, configuration=connector(
            None, connectionConfiguration=told, crawlConfiguration=bounds))

    only = mapped("listed", 0)
    assert counted(sync(agent, kb, only)) == {"DocumentsScanned": 2, "NewDocumentsIndexed": 2}
    assert "/docs/b.html" not in site.asked and "/robots.txt" in site.asked
    ds = mapped("linked", 1)
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 3, "NewDocumentsIndexed": 3}
    assert "/blog/x.html" not in site.asked
    # While a sitemap cannot be read, nobody can tell what it would list.
    site.pages["/docs/more.xml"] = status(500)
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "sitemap could not be read" in reasons(done), done
    site.pages["/docs/more.xml"] = page("No sitemap", "A page.")
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "lists nothing" in reasons(done), done
    raises(
        lambda: source(agent, kb, "private", configuration=connector(None, connectionConfiguration={
            "siteMapUrls": ["http://10.1.2.3/map.xml"], "authType": "NO_AUTH"})),
        "ValidationException", "http://10.1.2.3/map.xml",
    )


def test_what_cannot_be_looked_at_stays(agent, site):
    site.pages = {
        "/": page("Start", "The first page.", "/a.html", "/b.html"),
        "/a.html": page("A", "The page a leads to c.", "/c.html"),
        "/b.html": page("B", "The page b."),
        "/c.html": page("C", "The page c."),
    }
    kb, ds = crawled(agent, site.url)
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 4, "NewDocumentsIndexed": 4}
    # While a is out of order, nobody can tell whether c is still there; b surely is not.
    site.pages["/a.html"] = status(500)
    site.pages["/b.html"] = status(410)
    done = sync(agent, kb, ds)
    assert done["status"] == "COMPLETE" and f"{site.url}/a.html" in reasons(done) and "500" in reasons(done), done
    assert counted(done) == {"DocumentsScanned": 2, "DocumentsFailed": 1, "DocumentsDeleted": 1}
    site.pages["/"] = status(503, retry_after="0")
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "503" in reasons(done), done
    assert site.count("/") == 5, "a server that is busy is asked again"
    site.pages["/"] = page("Start", "The first page.", "/a.html")
    site.pages["/a.html"] = page("A", "The page a leads to c.", "/c.html")
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 3, "ModifiedDocumentsIndexed": 1}, done


def test_a_site_that_is_not_there_takes_nothing_away(agent, site):
    site.pages = {"/": page("Start", "The first page.", "/a.html"), "/a.html": page("A", "The page a.")}
    kb, ds = crawled(agent, site.url)
    sync(agent, kb, ds)
    site.pages = {}
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "No page could be crawled" in reasons(done) and site.url in reasons(done), done
    assert set(statuses(agent, kb, ds).values()) == {"INDEXED"}


def test_robots_and_sitemaps_are_read(agent, site):
    site.pages = {
        "/robots.txt": lambda request: request.answer(
            200, f"User-agent: *\nDisallow: /\n\nUser-agent: bedrockbot\nDisallow: /secret\nSitemap: {site.url}/map.xml\n",
            "text/plain"),
        "/map.xml": f"<sitemapindex><sitemap><loc>{site.url}/pages.xml</loc></sitemap></sitemapindex>",
        "/pages.xml": f"<urlset><url><loc>{site.url}/hidden.html</loc></url>"
        f"<url><loc>http://127.0.0.1:9/elsewhere.html</loc></url></urlset>",
        "/": page("Start", "The first page.", "/secret/plans.html", "/quiet.html"),
        "/hidden.html": page("Hidden", "Only the sitemap leads here."),
        "/secret/plans.html": page("Plans", "Nobody may read this."),
        "/quiet.html": '<meta name="robots" content="noindex"><a href="/behind.html">on</a>',
        "/behind.html": page("Behind", "Behind the page that is in no index."),
    }
    kb, ds = crawled(agent, site.url, scope="HOST_ONLY")
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 3, "NewDocumentsIndexed": 3, "DocumentsSkipped": 2}, done
    assert "/secret/plans.html" not in site.asked and "/hidden.html" in site.asked


def test_of_long_robots_the_beginning_is_read(agent, site):
    rules = "User-agent: *\nDisallow: /secret\n" + "# and so on\n" * 250_000 + "Disallow: /open\n"
    site.pages = {
        "/robots.txt": lambda request: request.answer(200, rules, "text/plain"),
        "/": page("Start", "The first page.", "/secret/plans.html", "/open.html"),
        "/secret/plans.html": page("Plans", "Nobody may read this."),
        "/open.html": page("Open", "Forbidden where nobody reads."),
    }
    assert len(rules) > 2 * 1024 * 1024
    kb, ds = crawled(agent, site.url)
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 2, "NewDocumentsIndexed": 2, "DocumentsSkipped": 1}, done
    assert "/secret/plans.html" not in site.asked


def test_headers_that_ask_for_no_index_are_obeyed(agent, site):
    def asking(body, tag, kind="text/html", **headers):
        return lambda request: request.answer(200, body, kind, x_robots_tag=tag, **headers)

    site.pages = {
        "/": page("Start", "The first page.", "/quiet.html", "/end.html", "/notes.txt", "/other.html"),
        "/quiet.html": asking(page("Quiet", "In no index.", "/behind.html"), "noindex"),
        "/behind.html": page("Behind", "Behind the page that is in no index."),
        "/end.html": asking(page("End", "Its links are not followed.", "/unseen.html"), "noarchive, nofollow"),
        "/unseen.html": page("Unseen", "Nobody comes here."),
        "/notes.txt": asking("Notes for nobody.", "none", "text/plain", etag='"1"'),
        "/other.html": asking(page("Other", "Another crawler leaves this out."), "otherbot: noindex"),
    }
    kb, ds = crawled(agent, site.url)
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 4, "NewDocumentsIndexed": 4, "DocumentsSkipped": 2}, done
    assert "/unseen.html" not in site.asked and "/behind.html" in site.asked
    # A page that asks for it later goes out of the index.
    site.pages["/behind.html"] = asking(page("Behind", "Behind the page that is in no index."), "bedrockbot: noindex")
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 3, "DocumentsDeleted": 1, "DocumentsSkipped": 3}, done


def test_a_page_without_a_type_is_a_page(agent, site):
    def untyped(body, **headers):
        return lambda request: request.answer(200, body, None, **headers)

    site.pages = {
        "/": untyped(page("Start", "The first page.", "/next", "/notes.txt", "/quiet")),
        "/next": untyped(page("Next", "The second page.", "/last.html"), etag='"1"'),
        "/last.html": page("Last", "The third page."),
        "/notes.txt": untyped("Notes about the observatory."),
        "/quiet": untyped(page("Quiet", "In no index.", "/behind.html"), x_robots_tag="noindex"),
        "/behind.html": page("Behind", "Behind the page that is in no index."),
    }
    kb, ds = crawled(agent, site.url)
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 5, "NewDocumentsIndexed": 5, "DocumentsSkipped": 1}, done
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 5, "DocumentsSkipped": 1}


def test_what_is_packed_unasked_is_unpacked(agent, site):
    def packed(body, kind="text/html", encoding="gzip"):
        data = gzip.compress(body.encode())
        return lambda request: request.answer(200, data, kind, content_encoding=encoding)

    leading = page("A", "The page a leads to c.", "/c.html")
    site.pages = {
        "/robots.txt": packed("User-agent: *\nDisallow: /secret\n", "text/plain"),
        "/": packed(page("Start", "The first page.", "/a.html", "/b.html", "/secret/plans.html")),
        "/a.html": packed(leading),
        "/b.html": lambda request: request.answer(200, page("B", "The page b."), content_encoding="utf-8"),
        "/c.html": page("C", "The page c."),
        "/secret/plans.html": page("Plans", "Nobody may read this."),
    }
    kb, ds = crawled(agent, site.url)
    done = sync(agent, kb, ds)
    assert counted(done) == {"DocumentsScanned": 4, "NewDocumentsIndexed": 4, "DocumentsSkipped": 1}, done
    assert "/secret/plans.html" not in site.asked
    # What a leads to cannot be told while it is packed in another way, or broken: c stays.
    broken = gzip.compress(leading.encode())[:-20]
    for answer in (
        packed(leading, encoding="br"),
        lambda request: request.answer(200, broken, content_encoding="gzip"),
    ):
        site.pages["/a.html"] = answer
        done = sync(agent, kb, ds)
        assert done["status"] == "COMPLETE" and f"{site.url}/a.html" in reasons(done), done
        assert counted(done) == {"DocumentsScanned": 3, "DocumentsFailed": 1, "DocumentsSkipped": 1}, done


def test_a_page_that_goes_on_by_itself_is_followed(agent, site):
    site.pages = {
        "/docs/": '<!doctype html><title>Start</title><meta http-equiv="refresh" content="0; url=en/">',
        "/docs/en/": page("Start", "The first page that says anything."),
    }
    kb, ds = crawled(agent, f"{site.url}/docs/")
    done = sync(agent, kb, ds)
    assert counted(done)["NewDocumentsIndexed"] == 1 and "/docs/en/" in site.asked, done


def test_a_site_that_hides_its_robots_is_not_crawled(agent, site):
    site.pages = {"/robots.txt": status(500), "/": page("Start", "The first page.")}
    kb, ds = crawled(agent, site.url)
    done = sync(agent, kb, ds)
    assert done["status"] == "FAILED" and "robots.txt" in reasons(done), done
    assert "/" not in site.asked


def test_filters_and_limits_hold(agent, site):
    site.pages = {
        "/": page("Start", "The first page.", *[f"/{kind}/{n}.html" for kind in ("guide", "draft") for n in range(3)]),
        **{f"/guide/{n}.html": page(f"Guide {n}", f"Chapter {n} of the guide.") for n in range(3)},
        **{f"/draft/{n}.html": page(f"Draft {n}", f"Draft {n}.") for n in range(3)},
    }
    kb, ds = crawled(agent, site.url, inclusionFilters=[r".*/(guide|draft)/\d\.html$"], exclusionFilters=[".*/draft/.*"])
    assert counted(sync(agent, kb, ds)) == {"DocumentsScanned": 3, "NewDocumentsIndexed": 3}
    assert not [path for path in site.asked if path.startswith("/draft")]
    narrow = source(agent, kb, "narrow", web(site.url, crawlerLimits={"rateLimit": 300, "maxPages": 3}))
    done = sync(agent, kb, narrow)
    assert done["status"] == "FAILED" and "maxPages" in reasons(done), done
    # Documents of no page were ingested.
    assert counted(done).get("NewDocumentsIndexed") is None


def test_no_redirect_leads_out_of_the_public_network(agent, site):
    with Site({"/": page("Inner", "The inner network's secret.")}) as inner:
        site.pages = {
            "/": page("Start", "The first page.", "/out", "/old.html"),
            "/out": status(302, location=inner.url + "/"),
            "/old.html": status(301, location="/new.html"),
            "/new.html": page("New", "Where the old page went."),
            "/seed": status(302, location=inner.url + "/"),
        }
        kb, ds = crawled(agent, site.url, f"{site.url}/seed", scope="HOST_ONLY")
        done = sync(agent, kb, ds)
        assert counted(done) == {"DocumentsScanned": 3, "NewDocumentsIndexed": 2, "DocumentsFailed": 1}, done
        assert "callers may not name" in reasons(done) and inner.asked == []
        refused = [
            inner.url, "http://localhost:8080/", "http://169.254.169.254/latest/meta-data/", "http://10.1.2.3/",
            "http://0x7f000001/", "http://2130706433:8080/",
        ]
        for n, url in enumerate(refused):
            raises(lambda n=n, url=url: source(agent, kb, f"s{n}", web(url)), "ValidationException", "cannot be crawled")
        assert inner.asked == []


def test_a_crawl_can_be_stopped(agent, site):
    site.pages = {"/": page("Start", "The first page.", *[f"/{n}.html" for n in range(500)])}
    site.pages |= {f"/{n}.html": page(f"Page {n}", f"The page {n}.") for n in range(500)}
    kb, ds = crawled(agent, site.url)
    job = agent.start_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds)["ingestionJob"]["ingestionJobId"]
    until(lambda: site.count("/0.html"), 30, "the crawl is under way")
    agent.stop_ingestion_job(knowledgeBaseId=kb, dataSourceId=ds, ingestionJobId=job)
    assert ended(agent, kb, ds, job)["status"] == "STOPPED"
    assert len(site.asked) < 200


REFUSED = [
    ({"inclusionFilters": ["("]}, "the inclusion filter ( is not a valid regular expression"),
    ({"exclusionFilters": ["(?=look)ahead"]}, "is not a valid regular expression"),
    ({"crawlerLimits": {"maxPages": 30000}}, "maxPages must not be more than 25000"),
    ({"crawlerLimits": {"rateLimit": 301}}, "less than or equal to 300"),
]


@pytest.mark.parametrize("crawler, text", REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_a_configuration_that_cannot_be_is_refused(agent, site, crawler, text):
    kb = base(agent, ACCOUNT)
    raises(lambda: source(agent, kb, configuration=web(site.url, **crawler)), "ValidationException", text)
    assert agent.list_data_sources(knowledgeBaseId=kb)["dataSourceSummaries"] == []
    raises(lambda: source(agent, kb, configuration={"type": "WEB"}), "ValidationException", "webConfiguration is required")


def test_a_configuration_comes_back_as_it_was_given(agent, site):
    kb, ds = crawled(agent, site.url, scope="SUBDOMAINS", exclusionFilters=["draft"])
    got = agent.get_data_source(knowledgeBaseId=kb, dataSourceId=ds)["dataSource"]
    assert got["dataSourceConfiguration"] == web(site.url, scope="SUBDOMAINS", exclusionFilters=["draft"])
    assert statuses(agent, kb, ds) == {}


def test_a_url_is_added_by_one_command(server, site):
    site.pages = {
        "/guide/": page("Guide", "The guide to the observatory.", "dome/", "/elsewhere"),
        "/guide/dome/": page("Dome", "The dome opens at dusk, never in rain.", "/guide/dome/deep/below"),
        "/guide/dome/deep/below": page("Below", "Two folders further down."),
        "/elsewhere": page("Elsewhere", "Not at or below the URL."),
    }

    def outcrop(*args):
        env = environment({"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"})
        run = subprocess.run(
            [BIN, "kb", *args, "--url", server.url], env=env, capture_output=True, text=True, timeout=180)
        assert run.returncode == 0, run.stderr
        return run.stdout

    added = outcrop("add", f"{site.url}/guide/", "--name", "observatory", "--depth", "1")
    assert "2 documents, 2 new" in added, added
    assert "opens at dusk" in outcrop("ask", "When does the dome open?", "--kb", "observatory")
    assert f"from       {site.url}/guide/" in outcrop("show", "observatory")
    # The options of the last call hold.
    assert "3 documents, 1 new" in outcrop("add", f"{site.url}/guide/", "--name", "observatory")
