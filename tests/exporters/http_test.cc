#include "exporters/http.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace driftd::exporters {
namespace {

Response answer(const Request&) { return {}; }

TEST(PercentDecode, DecodesOnce) {
  EXPECT_EQ(percent_decode("a%20b%2Fc%2525"), "a b/c%25");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode(""), "");
}

TEST(PercentDecode, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%1", "a%g0", "%0", "%00"}) EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(ParseQuery, KeepsOrderAndRepeats) {
  const auto query = parse_query("b=1&a=x%3Dy&b=2&flag&&=v");
  ASSERT_TRUE(query);
  const TextPairs expected = {{"b", "1"}, {"a", "x=y"}, {"b", "2"}, {"flag", ""}, {"", "v"}};
  EXPECT_EQ(*query, expected);
  EXPECT_TRUE(parse_query("")->empty());
  EXPECT_FALSE(parse_query("a=%"));
}

TEST(Problem, IsRfc9457Json) {
  const Response response = problem(404, "no \"stream\"\n", {{"X", "y"}});
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto json = nlohmann::json::parse(response.body);
  EXPECT_EQ(json["type"], "about:blank");
  EXPECT_EQ(json["title"], "Not Found");
  EXPECT_EQ(json["status"], 404);
  EXPECT_EQ(json["detail"], "no \"stream\"\n");
  EXPECT_EQ(response.headers.size(), 1U);
}

TEST(Router, FindsByMethodAndPattern) {
  Router router;
  router.add({"GET"}, "/", answer);
  router.add({"GET"}, "/a/{x}/b/{y}", answer);
  router.add({"POST"}, "/a/{x}/b/{y}", answer);
  EXPECT_NE(router.find("GET", "/").handler, nullptr);
  const Router::Target target = router.find("POST", "/a/1%2F2/b/3");
  ASSERT_NE(target.handler, nullptr);
  EXPECT_EQ(target.pattern, "/a/{x}/b/{y}");
  const TextPairs params = {{"x", "1/2"}, {"y", "3"}};
  EXPECT_EQ(target.params, params);
  EXPECT_EQ(router.find("HEAD", "/a/1/b/2").handler, router.find("GET", "/a/1/b/2").handler);
}

TEST(Router, SaysWhatIsMissing) {
  Router router;
  router.add({"GET"}, "/a/{x}", answer);
  router.add({"PUT"}, "/a/{x}", answer);
  for (const char* path : {"", "/a", "/a/", "/a/b/c", "/A/b", "//a/b", "a/b", "/a/b/"}) {
    const Router::Target target = router.find("GET", path);
    EXPECT_EQ(target.handler, nullptr) << path;
    EXPECT_EQ(target.error.status, 404) << path;
    EXPECT_EQ(target.pattern, "other") << path;
  }
  const Router::Target target = router.find("POST", "/a/b");
  EXPECT_EQ(target.error.status, 405);
  EXPECT_EQ(target.pattern, "/a/{x}");
  EXPECT_EQ(target.error.headers.at(0).second, "GET, HEAD, PUT");
  EXPECT_EQ(router.find("GET", "/a/%").error.status, 400);
}

}  // namespace
}  // namespace driftd::exporters
