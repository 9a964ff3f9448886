#include "core/files.h"

#include <gtest/gtest.h>

#include "tests/ingest/temp_folder.h"

namespace driftd {
namespace {

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
