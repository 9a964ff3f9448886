#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ingest/source.h"
#include "tests/ingest/source_harness.h"

namespace driftd::ingest {
namespace {

std::string file_with(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/file_source_" + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

Node params_for(const std::string& path, const std::string& format) {
  return Node::map({{"paths", Node::text(path)}, {"format", Node::text(format)}});
}

TEST(FileSource, ReadsToTheEndAndIsFinished) {
  const std::string path = file_with("h\n\"1\n\"\n2\n");
  auto source = make_source("file", params_for(path, "csv"));
  ASSERT_TRUE(source.ok());
  RecordingHandler handler;
  ASSERT_TRUE((*source)->open(handler).ok());
  EXPECT_EQ(handler.events, (std::vector<std::string>{"assigned 0"}));
  EXPECT_TRUE((*source)->status().connected);
  EXPECT_EQ(drain(**source), (std::vector<std::string>{"0/0:h", "0/1:\"1\n\"", "0/2:2"}));
  EXPECT_TRUE((*source)->finished());
  (*source)->close();
  EXPECT_EQ(handler.events.back(), "revoked 0");
  EXPECT_FALSE((*source)->status().assigned);
}

TEST(FileSource, GoesOnFromTheHandlersPosition) {
  auto source = make_source("file", params_for(file_with("a\nb\nc\n"), "json_lines"));
  ASSERT_TRUE(source.ok());
  RecordingHandler handler;
  handler.positions[0] = 2;
  ASSERT_TRUE((*source)->open(handler).ok());
  (*source)->pause(true);
  RawBatch batch;
  EXPECT_EQ((*source)->poll(Deadline::after(0), batch).value(), false);
  (*source)->pause(false);
  EXPECT_EQ(drain(**source), (std::vector<std::string>{"0/2:c"}));
}

TEST(FileSource, AMissingFileIsAnErrorOfTheConfiguration) {
  auto source = make_source("file", params_for("/nowhere/to/be.found", "csv"));
  ASSERT_TRUE(source.ok());
  RecordingHandler handler;
  const Status status = (*source)->open(handler);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("/nowhere/to/be.found"), std::string::npos);
}

}  // namespace
}  // namespace driftd::ingest
