#include "exporters/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/exporters/fake_api_source.h"

namespace driftd::exporters {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class ApiTest : public ::testing::Test {
 protected:
  Response call(const std::string& method, const std::string& target, const std::string& body = "", TextPairs headers = {}) {
    const std::size_t mark = std::min(target.find('?'), target.size());
    Request request;
    request.method = method;
    request.path = target.substr(0, mark);
    request.query = *parse_query(target.substr(std::min(mark + 1, target.size())));
    request.headers = std::move(headers);
    request.body = body;
    Router::Target found = router_.find(method, request.path);
    if (found.handler == nullptr) return found.error;
    request.params = found.params;
    return (*found.handler)(request);
  }
  Json json(const std::string& target) {
    const Response response = call("GET", target);
    EXPECT_EQ(response.status, 200) << target << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return Json::parse(response.body);
  }

  FakeApiSource source_;
  Telemetry telemetry_;
  Router router_ = api_router(source_, telemetry_);
};

TEST_F(ApiTest, HealthAndReadiness) {
  for (const char* path : {"/-/healthy", "/healthz", "/-/ready", "/readyz"}) {
    EXPECT_EQ(call("GET", path).status, 200) << path;
  }
  source_.readiness = {false, {"pumps: no partitions assigned", "reference \"a\" not loaded"}};
  for (const char* path : {"/-/ready", "/readyz"}) {
    const Response response = call("GET", path);
    EXPECT_EQ(response.status, 503);
    const Json body = Json::parse(response.body);
    EXPECT_EQ(body["reasons"], Json(source_.readiness.reasons));
    EXPECT_THAT(body["detail"], HasSubstr("no partitions assigned; reference"));
  }
  EXPECT_EQ(call("GET", "/-/healthy").status, 200);
}

TEST_F(ApiTest, Metrics) {
  telemetry_.series(Metric::kRecords, {"pumps", "accepted"}).add(1);
  const Response response = call("GET", "/metrics");
  EXPECT_EQ(source_.measured, 1);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("driftd_records_total{"));
}

TEST_F(ApiTest, StreamsLeaveOutWhatIsNotKnown) {
  const Json stream = json("/api/v1/streams")["streams"][0];
  EXPECT_EQ(stream["name"], "pumps");
  EXPECT_EQ(stream["records"]["accepted"], 12);
  EXPECT_EQ(stream["source"], (Json{{"type", "kafka"}, {"up", true}}));
  EXPECT_FALSE(stream.contains("watermark"));
  EXPECT_FALSE(stream.contains("reference"));
  source_.stream_views[0].watermark = 0;
  source_.stream_views[0].lag = 7;
  source_.stream_views[0].source_detail = "bad \xFF bytes";
  const Json more = json("/api/v1/streams")["streams"][0];
  EXPECT_EQ(more["watermark"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(more["source"]["lag"], 7);
  EXPECT_EQ(more["source"]["detail"], "bad \xEF\xBF\xBD bytes");
}

TEST_F(ApiTest, FindingsInPages) {
  Json page = json("/api/v1/findings?limit=2");
  std::vector<std::string> seen;
  while (true) {
    for (const Json& f : page["findings"]) seen.push_back(f["id"]);
    if (!page.contains("next_cursor")) break;
    page = json("/api/v1/findings?limit=2&cursor=" + page["next_cursor"].get<std::string>());
  }
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[0], hex64(4));
  EXPECT_EQ(json("/api/v1/findings?stream=other")["findings"], Json::array());
  EXPECT_EQ(json("/api/v1/findings?verdict=ok")["findings"].size(), 0U);
  EXPECT_EQ(json("/api/v1/findings?verdict=ok,fail&stream=pumps")["findings"].size(), 5U);
  EXPECT_EQ(json("/api/v1/findings?since=1970-01-01T00:04:00Z")["findings"].size(), 2U);
  EXPECT_EQ(json("/api/v1/findings?since=1970-01-01T01:04:00%2B01:00")["findings"].size(), 2U);
}

TEST_F(ApiTest, FindingsRefusesWrongParameters) {
  struct Case {
    const char* query;
    const char* says;
  };
  for (const Case& c :
       {Case{"limit=0", "1 to 1000"}, Case{"limit=1001", "1 to 1000"}, Case{"limit=x", "limit"}, Case{"since=yesterday", "RFC 3339"},
        Case{"verdict=bad", "no_verdict"}, Case{"verdict=", "verdict"}, Case{"verdict=fail,", "verdict"}, Case{"cursor=x", "cursor"},
        Case{"sinse=1", "did you mean \\\"since\\\""}, Case{"zzzzzzzz=1", "known are"}}) {
    const Response response = call("GET", std::string("/api/v1/findings?") + c.query);
    EXPECT_EQ(response.status, 400) << c.query;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_THAT(response.body, HasSubstr(c.says)) << c.query;
  }
  EXPECT_EQ(call("GET", "/api/v1/findings?limit=1000").status, 200);
}

TEST_F(ApiTest, AlertsReferencesUnits) {
  EXPECT_EQ(json("/api/v1/alerts")["alerts"][0]["state"], "firing");
  source_.alert_list.clear();
  EXPECT_EQ(json("/api/v1/alerts")["alerts"], Json::array());
  EXPECT_EQ(json("/api/v1/references")["references"][0]["version"], 3);
  EXPECT_EQ(json("/api/v1/references/pumps@production")["selector"], "production");
  EXPECT_EQ(call("GET", "/api/v1/references/valves@1").status, 404);
  for (const char* id : {"pumps", "pumps@", "@1"}) {
    EXPECT_EQ(call("GET", std::string("/api/v1/references/") + id).status, 400) << id;
  }
  const Json unit = json("/api/v1/units")["units"][0];
  EXPECT_EQ(unit["kind"], "check");
  EXPECT_EQ(unit["params"][0]["min"], -1.0);
  EXPECT_EQ(unit["reasons"][0]["word"], "out_of_range");
}

TEST_F(ApiTest, SubmitMapsEveryOutcome) {
  const std::string path = "/api/v1/streams/pumps/records";
  const Response response = call("POST", path, "[{}]", {{"content-type", "application/json"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"accepted\":2}");
  EXPECT_EQ(source_.submitted, "pumps|[{}]|application/json");
  using Outcome = Submission::Result;
  for (const auto& [outcome, status] : {std::pair{Outcome::kUnknownStream, 404},
                                        {Outcome::kBadRequest, 400},
                                        {Outcome::kTooLarge, 413},
                                        {Outcome::kUnsupported, 415},
                                        {Outcome::kFull, 429},
                                        {Outcome::kUnavailable, 503}}) {
    source_.submission = {outcome, 0, 1500 * kMillisecond, "because"};
    const Response refused = call("POST", path, "x");
    EXPECT_EQ(refused.status, status);
    EXPECT_THAT(refused.body, HasSubstr("because"));
    EXPECT_EQ(refused.headers.size(), status == 429 || status == 503 ? 1U : 0U);
    if (!refused.headers.empty()) {
      EXPECT_EQ(refused.headers[0], (std::pair<std::string, std::string>{"Retry-After", "2"}));
    }
  }
  EXPECT_EQ(call("POST", path, "x", {{"content-encoding", "gzip"}}).status, 415);
  EXPECT_EQ(call("GET", path).status, 405);
}

TEST_F(ApiTest, Reload) {
  EXPECT_EQ(call("POST", "/-/reload").status, 200);
  source_.reload_status = Error{ErrorCode::kInvalidArgument, "a.yml:3:1: unknown key"};
  const Response refused = call("PUT", "/-/reload");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("a.yml:3:1"));
  EXPECT_EQ(call("GET", "/-/reload").status, 405);
  EXPECT_EQ(source_.reloads, 2);
}

TEST_F(ApiTest, PagesOfOtherSitesChangeNothing) {
  struct Case {
    TextPairs headers;
    int status;
  };
  const std::vector<Case> cases = {
      {{{"host", "127.0.0.1:1"}, {"origin", "http://127.0.0.1:1"}}, 200},
      {{{"host", "[::1]:1"}, {"origin", "http://[::1]:1"}}, 200},
      {{{"host", "localhost"}, {"origin", "http://localhost"}}, 200},
      {{{"host", "h:1"}}, 200},
      {{{"sec-fetch-site", "same-origin"}}, 200},
      {{{"sec-fetch-site", "none"}}, 200},
      // A name may have been rebound to this machine.
      {{{"host", "h:1"}, {"origin", "http://h:1"}}, 403},
      {{{"host", "[h]"}, {"origin", "http://[h]"}}, 403},
      {{{"host", "["}, {"origin", "http://["}}, 403},
      {{{"host", "h:1"}, {"origin", "http://evil.example"}}, 403},
      {{{"host", "h:1"}, {"origin", "null"}}, 403},
      {{{"origin", "http://h"}}, 403},
      {{{"sec-fetch-site", "cross-site"}}, 403},
      {{{"sec-fetch-site", "same-site"}}, 403},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(call("POST", "/-/reload", "", c.headers).status, c.status);
    EXPECT_EQ(call("POST", "/api/v1/streams/s/records", "{}", c.headers).status, c.status);
    EXPECT_EQ(call("GET", "/metrics", "", c.headers).status, 200);
  }
  EXPECT_EQ(source_.reloads, 6);
}

TEST_F(ApiTest, Promote) {
  const std::string path = "/api/v1/references/pumps/promote";
  const Response response = call("POST", path, R"({"version": 3})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(response.body), (Json{{"name", "pumps"}, {"alias", "production"}, {"version", 3}}));
  EXPECT_EQ(source_.promotion.version, "3");
  EXPECT_FALSE(source_.promotion.at);
  call("POST", path, R"({"version": "candidate", "alias": "a", "at": "1970-01-01T00:00:01Z"})");
  EXPECT_EQ(source_.promotion.version, "candidate");
  EXPECT_EQ(source_.promotion.alias, "a");
  EXPECT_EQ(source_.promotion.at, kSecond);
  EXPECT_EQ(call("POST", path, R"({"version": 9})").status, 404);
  for (const char* body :
       {"", "[]", "{}", "{", R"({"version": -1})", R"({"version": 1.5})", R"({"version": ""})", R"({"version": 1, "alias": 2})",
        R"({"version": 1, "at": "now"})", R"({"version": 1, "when": "x"})", R"({"version": null})"}) {
    EXPECT_EQ(call("POST", path, body).status, 400) << body;
  }
  const std::string most = R"({"version": 3)" + std::string(4096 - 14, ' ') + "}";
  ASSERT_EQ(most.size(), 4096U);
  EXPECT_EQ(call("POST", path, most).status, 200);
  EXPECT_EQ(call("POST", path, most + " ").status, 413) << "what it is made of takes many times its bytes";
}

TEST_F(ApiTest, ThePageIsSelfContained) {
  const Response response = call("GET", "/");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(response.body, ::testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(response.body, ::testing::EndsWith("</html>\n"));
  for (const char* word : {"http://", "https://", "innerHTML", "insertAdjacentHTML", "document.write", "outerHTML", "eval(", " src="}) {
    EXPECT_THAT(response.body, ::testing::Not(HasSubstr(word)));
  }
  EXPECT_THAT(response.headers.at(0).second, HasSubstr("default-src 'none'"));
}

}  // namespace
}  // namespace driftd::exporters
