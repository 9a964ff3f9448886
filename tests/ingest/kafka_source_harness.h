// A Kafka source on an in-process cluster, for tests.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ingest/source.h"
#include "tests/ingest/kafka_cluster.h"
#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {

using Texts = std::vector<std::string>;

inline Node list(const Texts& texts) {
  std::vector<Node> items;
  for (const std::string& text : texts) items.push_back(Node::text(text));
  return Node::list(std::move(items));
}

using Entries = std::vector<std::pair<std::string, Node>>;

inline Node params(const KafkaCluster& cluster, const Texts& topics, Entries more = {}, const std::string& refresh = "30000",
                   const Entries& options = {}) {
  Entries all = {{"session.timeout.ms", Node::text("6000")},
                 {"reconnect.backoff.max.ms", Node::text("500")},
                 {"topic.metadata.refresh.interval.ms", Node::text(refresh)}};
  all.insert(all.end(), options.begin(), options.end());
  Entries entries = {{"brokers", Node::text(cluster.brokers())}, {"topics", list(topics)}, {"options", Node::map(std::move(all))}};
  for (auto& entry : more) entries.push_back(std::move(entry));
  return Node::map(std::move(entries));
}

inline constexpr const char* kSoon = "1000";  // then a topic that goes or comes is noticed

// Without a folder in the context all have the same one.
inline std::unique_ptr<Source> opened(const Node& node, SourceHandler& handler, SourceContext context = {}) {
  static const TempFolder folder;
  if (context.data_dir.empty()) context.data_dir = folder.path();
  auto source = make_source("kafka", node, context);
  EXPECT_TRUE(source.ok()) << source.error().message;
  const Status status = (*source)->open(handler);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return std::move(source).value();
}

inline Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

// Polls until `done` says so; false when it never did.
template <class Done>
bool poll_until(Source& source, const Done& done, Duration patience = 30 * kSecond) {
  RawBatch batch;
  for (const Deadline deadline = Deadline::after(patience); !deadline.passed();) {
    EXPECT_TRUE(source.poll(Deadline::after(50 * kMillisecond), batch).ok());
    if (done()) return true;
  }
  return false;
}

}  // namespace driftd::ingest
