#include "core/alert.h"

#include <gtest/gtest.h>

namespace driftd {
namespace {

Alert minimal() {
  Alert a;
  a.fingerprint = "00000000000000aa";
  a.stream = "pumps";
  a.starts_at = 0;
  return a;
}

std::string json(const Alert& alert) {
  std::string out = "before ";
  append_json(out, alert);
  EXPECT_EQ(out.substr(0, 7), "before ");
  return out.substr(7);
}

TEST(Alert, StatesHaveTheirWords) {
  EXPECT_STREQ(to_string(AlertState::kPending), "pending");
  EXPECT_STREQ(to_string(AlertState::kFiring), "firing");
  EXPECT_STREQ(to_string(AlertState::kResolved), "resolved");
}

TEST(Alert, WhatDoesNotApplyIsAbsent) {
  Alert a = minimal();
  a.ends_at = kHour;  // means nothing before it is resolved
  EXPECT_EQ(json(a), R"({"fingerprint":"00000000000000aa","stream":"pumps","segment":{"by":"stream"},)"
                     R"("kind":"quality","severity":"warning","state":"pending",)"
                     R"("starts_at":"1970-01-01T00:00:00Z","findings":[],"summary":""})");
}

TEST(Alert, EverythingThatIsThereIsWritten) {
  Alert a = minimal();
  a.segment = {"site", "a\"b"};
  a.kind = FindingKind::kDrift;
  a.field = "temperature";
  a.check = "drift";
  a.severity = Severity::kCritical;
  a.state = AlertState::kResolved;
  a.ends_at = kHour;
  a.findings = {"f1", "f2"};
  a.summary = "line\none";
  EXPECT_EQ(json(a), R"({"fingerprint":"00000000000000aa","stream":"pumps",)"
                     R"("segment":{"by":"site","value":"a\"b"},"kind":"drift","field":"temperature",)"
                     R"("check":"drift","severity":"critical","state":"resolved",)"
                     R"("starts_at":"1970-01-01T00:00:00Z","ends_at":"1970-01-01T01:00:00Z",)"
                     R"("findings":["f1","f2"],"summary":"line\none"})");
}

}  // namespace
}  // namespace driftd
