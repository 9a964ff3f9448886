#include "alerts/cloud_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "samples.h"

namespace driftd::alerts {
namespace {

Message sample(std::size_t alerts = 1) {
  Message m = outgoing("00000000000000aa").message;
  m.created_at = kDay0 + kHour;
  for (std::size_t i = 1; i < alerts; ++i) m.alerts.push_back(sample_alert(std::to_string(i)));
  return m;
}

TEST(CloudEvent, ExactBytes) {
  EXPECT_EQ(cloud_event(sample(), "https://driftd.example"),
            R"({"specversion":"1.0","id":"00000000000000aa","source":"https://driftd.example",)"
            R"("type":"driftd.alert.firing","subject":"stream=\"pumps\",segment=\"site=a\"",)"
            R"("time":"2024-10-04T01:00:00Z","datacontenttype":"application/json","data":{"alerts":[)"
            R"({"fingerprint":")" +
                sample_alert().fingerprint +
                R"(","stream":"pumps","segment":{"by":"site","value":"a"},"kind":"quality",)"
                R"("severity":"critical","state":"firing","starts_at":"2024-10-04T00:00:00Z",)"
                R"("findings":["00000000000000f1","00000000000000f2"],)"
                R"("summary":"pumps site=a: in_range of temperature fails, 2 windows"}],)"
                R"("findings":[{"id":"00000000000000f1","value":0.12}]}})");
}

TEST(CloudEvent, HasASourceAlways) { EXPECT_EQ(nlohmann::json::parse(cloud_event(sample(), ""))["source"], "urn:driftd"); }

TEST(CloudEvent, OldFindingsAreLeftOutFirst) {
  Message m = sample();
  m.finding_lines.clear();
  for (int i = 0; i < 40; ++i) {
    m.finding_lines.push_back("{\"n\":" + std::to_string(i) + ",\"text\":\"" + std::string(1000, 'x') + "\"}");
  }
  const std::string body = cloud_event(m, "");
  EXPECT_LE(body.size(), kMaxEventBody);
  EXPECT_GT(body.size(), kMaxEventBody - 1200) << "as many as fit";
  const auto data = nlohmann::json::parse(body)["data"];
  const std::size_t kept = data["findings"].size();
  EXPECT_EQ(data["findings_left_off"], 40 - kept);
  EXPECT_EQ(data["findings"].back()["n"], 39);
  EXPECT_EQ(data["findings"].front()["n"], 40 - kept);
}

TEST(CloudEvent, AFullGroupOfLongAlertsStaysBelowTheBound) {
  Message m = sample(16);
  for (Alert& a : m.alerts) {
    a.findings.assign(20, "00000000000000f1");
    a.segment.value = std::string(256, 'v');
    a.summary = std::string(450, 's');
    for (int i = 0; i < 20; ++i) m.finding_lines.push_back("{\"id\":\"00000000000000f1\"}");
  }
  const std::string body = cloud_event(m, "https://driftd.example");
  EXPECT_LE(body.size(), kMaxEventBody);
  const auto data = nlohmann::json::parse(body)["data"];
  EXPECT_EQ(data["alerts"].size(), 16U);
  EXPECT_EQ(data["alerts"][0]["findings"].size(), 1U);
}

}  // namespace
}  // namespace driftd::alerts
