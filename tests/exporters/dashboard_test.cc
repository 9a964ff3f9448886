// The Grafana dashboard in configs/grafana: what can be checked of it without Grafana. That each
// query returns data from a Prometheus that scraped driftd is an end-to-end test.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "source_dir.h"
#include "tests/exporters/promql_for_test.h"

namespace driftd::exporters {
namespace {

using Json = nlohmann::json;

Json dashboard() {
  std::ifstream in(std::string(DRIFTD_SOURCE_DIR) + "/configs/grafana/driftd.json");
  return Json::parse(in);
}

TEST(Dashboard, HasWhatGrafanaNeeds) {
  const Json d = dashboard();
  EXPECT_EQ(d["title"], "driftd");
  EXPECT_EQ(d["uid"], "driftd");
  EXPECT_GE(d["schemaVersion"].get<int>(), 38);  // Grafana 10 and later
  EXPECT_EQ(d["templating"]["list"][0]["type"], "datasource");
  EXPECT_EQ(d["templating"]["list"][0]["query"], "prometheus");
}

TEST(Dashboard, PanelsHaveTheirOwnIdAndPlace) {
  std::set<int> ids;
  std::set<std::pair<int, int>> cells;
  const Json d = dashboard();
  for (const Json& panel : d["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["id"];
    EXPECT_NE(panel["title"], "");
    const Json& at = panel["gridPos"];
    EXPECT_LE(at["x"].get<int>() + at["w"].get<int>(), 24) << panel["title"];
    for (int x = at["x"]; x < at["x"].get<int>() + at["w"].get<int>(); ++x) {
      for (int y = at["y"]; y < at["y"].get<int>() + at["h"].get<int>(); ++y) {
        EXPECT_TRUE(cells.insert({x, y}).second) << panel["title"] << " overlaps";
      }
    }
  }
  EXPECT_GE(ids.size(), 20U);
}

TEST(Dashboard, QueriesNameOnlyWhatDriftdExports) {
  int queries = 0;
  const Json d = dashboard();
  for (const Json& panel : d["panels"]) {
    if (panel["type"] == "row") continue;
    EXPECT_EQ(panel["datasource"]["uid"], "${datasource}") << panel["title"];
    ASSERT_FALSE(panel["targets"].empty()) << panel["title"];
    std::set<std::string> ids;
    for (const Json& target : panel["targets"]) {
      EXPECT_TRUE(ids.insert(target["refId"]).second) << panel["title"];
      const std::string query = target["expr"];
      EXPECT_EQ(unknown_in_query(query), "") << panel["title"] << ": " << query;
      EXPECT_NE(query.find("job=~\"$job\""), std::string::npos) << query;
      ++queries;
    }
  }
  EXPECT_GE(queries, 25);
  for (const Json& variable : d["templating"]["list"]) {
    if (variable["type"] != "query") continue;
    EXPECT_EQ(unknown_in_query(variable["definition"]), "");
  }
}

TEST(Promql, TheCheckFindsWhatIsWrong) {
  EXPECT_EQ(unknown_in_query("sum by (stream) (rate(driftd_records_total{result=\"late\"}[5m]))"), "");
  EXPECT_EQ(unknown_in_query("rate(driftd_record_total[5m])"), "no metric driftd_record_total");
  EXPECT_EQ(unknown_in_query("driftd_records_total{reason=\"x\"}"), "no label reason");
  EXPECT_EQ(unknown_in_query("sum by (stream, reason) (driftd_records_total)"), "no label reason");
  EXPECT_EQ(unknown_in_query("vector(0)"), "no metric at all");
}

}  // namespace
}  // namespace driftd::exporters
