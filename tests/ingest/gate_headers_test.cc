#include "ingest/gate_headers.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs headers(const GateMark* mark, std::string_view reference = "", std::string_view refused = "") {
  GateHeaders out;
  gate_headers("plant", "raw", 2, 41, reference, mark, refused, out);
  Pairs pairs;
  for (const auto& [name, value] : out.all) pairs.emplace_back(name, value);
  return pairs;
}

TEST(GateHeaders, AValidRecordSaysWhereItComesFrom) {
  EXPECT_EQ(headers(nullptr), (Pairs{{"driftd-verdict", "valid"}, {"driftd-stream", "plant"}, {"driftd-position", "raw/2/41"}}));
  EXPECT_EQ(headers(nullptr, "pumps@3").back(), (Pairs::value_type{"driftd-reference", "pumps@3"}));
}

TEST(GateHeaders, AnInvalidOneSaysWhy) {
  GateMark mark;
  mark.check = "in_range";
  mark.field = "temperature";
  mark.reason = "out_of_range";
  mark.detail = "150";
  mark.checks = "in_range,spike";
  const Pairs all = headers(&mark);
  EXPECT_EQ(all[0].second, "invalid");
  EXPECT_EQ(Pairs(all.begin() + 3, all.end()), (Pairs{{"driftd-check", "in_range"},
                                                      {"driftd-field", "temperature"},
                                                      {"driftd-reason", "out_of_range"},
                                                      {"driftd-detail", "150"},
                                                      {"driftd-checks", "in_range,spike"}}));
}

TEST(GateHeaders, ARejectHasNoCheckAndAStubSaysWhoRefused) {
  GateMark mark;
  mark.rejected = true;
  mark.reason = "undecodable";
  EXPECT_EQ(headers(&mark)[0].second, "reject");
  EXPECT_EQ(headers(&mark).back(), (Pairs::value_type{"driftd-reason", "undecodable"}));
  EXPECT_EQ(headers(nullptr, "", "MSG_SIZE_TOO_LARGE").back(), (Pairs::value_type{"driftd-refused", "MSG_SIZE_TOO_LARGE"}));
}

}  // namespace
}  // namespace driftd::ingest
