// Makes sources from the registry and drives them, for tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ingest/source.h"

namespace driftd::ingest {

inline Result<std::unique_ptr<Source>> make_source(const std::string& name, const Node& node, const SourceContext& context = {}) {
  const auto* unit = sources().find(name);
  ErrorList errors;
  const Params params = read_params(node, unit->descriptor.params, name, errors);
  if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors().front().message};
  return unit->make(params, context);
}

// Keeps what it is told, in words, and answers with `positions`.
class RecordingHandler final : public SourceHandler {
 public:
  std::optional<std::int64_t> on_assigned(std::uint32_t partition) override {
    events.push_back("assigned " + std::to_string(partition));
    const auto it = positions.find(partition);
    return it == positions.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<RecordMark> mark_of(std::uint32_t partition) override {
    const auto it = marks.find(partition);
    return it == marks.end() ? std::nullopt : std::optional(it->second);
  }
  void on_moved(std::uint32_t partition) override { events.push_back("moved " + std::to_string(partition)); }
  void on_start(std::uint32_t partition, std::int64_t position, bool amid) override {
    starts.push_back(std::to_string(partition) + "/" + std::to_string(position) + (amid ? " amid" : ""));
  }
  bool on_elsewhere(std::uint32_t partition, std::int64_t position) override {
    elsewhere.push_back(std::to_string(partition) + "/" + std::to_string(position));
    return follows;
  }
  void on_settled() override { ++settled; }
  void on_revoked(const std::vector<std::uint32_t>& partitions) override { note("revoked", partitions); }
  void on_lost(const std::vector<std::uint32_t>& partitions) override { note("lost", partitions); }

  std::map<std::uint32_t, std::int64_t> positions;
  std::map<std::uint32_t, RecordMark> marks;
  std::vector<std::string> events;
  std::vector<std::string> starts;
  std::vector<std::string> elsewhere;
  bool follows = true;
  int settled = 0;

 private:
  void note(const std::string& what, const std::vector<std::uint32_t>& partitions) {
    for (const std::uint32_t p : partitions) events.push_back(what + " " + std::to_string(p));
  }
};

// Records as "partition/position:payload" until the source is finished or `n` came.
inline std::vector<std::string> drain(Source& source, std::size_t n = SIZE_MAX, Duration patience = 30 * kSecond) {
  std::vector<std::string> out;
  RawBatch batch;
  const Deadline deadline = Deadline::after(patience);
  while (!source.finished() && out.size() < n && !deadline.passed()) {
    const auto got = source.poll(Deadline::after(100 * kMillisecond), batch);
    EXPECT_TRUE(got.ok()) << got.error().message;
    if (!got.ok()) break;
    for (const RawRecord& record : batch.records) {
      out.push_back(std::to_string(batch.partition) + "/" + std::to_string(record.position) + ":" + std::string(record.payload));
    }
  }
  return out;
}

}  // namespace driftd::ingest
