#include "app/run/data_lock.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace driftd::app {
namespace {

class DataLockTest : public ::testing::Test {
 protected:
  DataLockTest() { std::filesystem::create_directories(folder_); }
  ~DataLockTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_ = ::testing::TempDir() + "data_lock_test";
};

TEST_F(DataLockTest, OneAtATime) {
  auto first = DataLock::take(folder_);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = DataLock::take(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find(folder_), std::string::npos);
  first->reset();
  EXPECT_TRUE(DataLock::take(folder_)) << "it ends with the object";
}

TEST_F(DataLockTest, SaysWhereItCannotWrite) {
  const auto lock = DataLock::take(folder_ + "/not/there");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace driftd::app
