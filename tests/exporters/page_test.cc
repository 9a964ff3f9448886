#include "exporters/page.h"

#include <gtest/gtest.h>

#include <regex>

namespace driftd::exporters {
namespace {

std::string header(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Page, IsOneWholeDocument) {
  const Response r = page();
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(r.body.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(r.body.ends_with("</html>\n"));
  for (const char* tag : {"script", "style", "body"}) {
    EXPECT_NE(r.body.find(std::string("<") + tag), std::string::npos) << tag;
    EXPECT_NE(r.body.find(std::string("</") + tag + ">"), std::string::npos) << tag;
  }
}

TEST(Page, LoadsNothingFromOutside) {
  const std::string body = page().body;
  EXPECT_FALSE(std::regex_search(body, std::regex("(src|href)=\"?(https?:)?//"))) << "an outside asset";
  EXPECT_EQ(body.find("@import"), std::string::npos);
  EXPECT_EQ(body.find("url("), std::string::npos);
  EXPECT_FALSE(std::regex_search(body, std::regex("fetch\\([\"'`]https?:")));
}

// What stands in records (sensor names, categories) reaches the page through the API.
TEST(Page, PutsDataInAsTextOnly) {
  const std::string body = page().body;
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"})
    EXPECT_EQ(body.find(way), std::string::npos) << way;
  EXPECT_NE(body.find("textContent"), std::string::npos);
}

TEST(Page, ItsPolicyAllowsDriftdOnly) {
  const Response r = page();
  const std::string policy = header(r, "Content-Security-Policy");
  for (const char* rule : {"default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"})
    EXPECT_NE(policy.find(rule), std::string::npos) << rule;
  EXPECT_EQ(policy.find('*'), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  EXPECT_EQ(header(r, "Referrer-Policy"), "no-referrer");
}

}  // namespace
}  // namespace driftd::exporters
