#include "core/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/ingest/temp_folder.h"

namespace driftd {
namespace {

std::string bytes_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(Files, FoldersAreMadeWithThoseAboveThem) {
  namespace fs = std::filesystem;
  const ingest::TempFolder folder;
  const std::string deep = folder.path() + "/a/b/c";
  EXPECT_TRUE(make_folder(deep + "/").ok());
  EXPECT_TRUE(fs::is_directory(deep));
  EXPECT_TRUE(make_folder(deep).ok()) << "it is there";
  EXPECT_TRUE(make_folder("").ok());
  std::ofstream(deep + "/file").flush();
  const Status in_the_way = make_folder(deep + "/file/d");
  ASSERT_FALSE(in_the_way.ok());
  EXPECT_EQ(in_the_way.error().code, ErrorCode::kIo);
  EXPECT_NE(in_the_way.error().message.find(deep + "/file: "), std::string::npos) << in_the_way.error().message;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_TRUE(make_folder("relative/d").ok());
  fs::current_path(before);
  EXPECT_TRUE(fs::is_directory(folder.path() + "/relative/d"));
}

TEST(Files, AFileIsReplacedAsAWholeOrStays) {
  const ingest::TempFolder folder;
  const std::string path = folder.path() + "/file";
  EXPECT_TRUE(replace_file(path, "abc").ok());
  EXPECT_EQ(bytes_of(path), "abc");
  EXPECT_TRUE(replace_file(path, "").ok());
  EXPECT_EQ(bytes_of(path), "");
  EXPECT_TRUE(append_to_file(path, "d").ok());
  EXPECT_TRUE(append_to_file(path, "e").ok());
  EXPECT_EQ(bytes_of(path), "de");
  // What is written beside it cannot be: the disk is full.
  std::filesystem::create_symlink("/dev/full", path + ".new");
  const Status full = replace_file(path, "xyz");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kIo);
  EXPECT_NE(full.error().message.find("No space left"), std::string::npos) << full.error().message;
  EXPECT_EQ(bytes_of(path), "de");
  EXPECT_TRUE(replace_file(path, "xyz").ok()) << "nothing stays in the way";
  EXPECT_EQ(bytes_of(path), "xyz");
}

TEST(Files, AFolderIsSyncedOrItIsSaidWhyNot) {
  const ingest::TempFolder folder;
  EXPECT_TRUE(sync_folder(folder.path()).ok());
  const Status none = sync_folder(folder.path() + "/none");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kIo);
  EXPECT_NE(none.error().message.find("/none: No such file"), std::string::npos) << none.error().message;
}

}  // namespace
}  // namespace driftd
