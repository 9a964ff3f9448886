#include "exporters/listen.h"

#include <gtest/gtest.h>

namespace driftd::exporters {
namespace {

TEST(ParseListen, ReadsAndWrites) {
  for (const char* text : {"127.0.0.1:9464", "[::1]:9464", ":9464", "0.0.0.0:0", "localhost:65535", "driftd.example-1.org:80", "[::]:1"}) {
    const auto address = parse_listen(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address.value().text(), text);
  }
}

TEST(ParseListen, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:9464", "[::1]", "[::g]:1",
        "[127.0.0.1]:1", "1.2.3:80", "300.1.1.1:80", "a b:80", "/run/driftd.sock", "127.0.0.1:9464 ", "127.0.0.1:9464,0.0.0.0:1"}) {
    const auto address = parse_listen(text);
    EXPECT_FALSE(address.ok()) << text;
    EXPECT_NE(listen_problem(text, true, true), "") << text;
  }
}

TEST(ListenProblem, RepeatsNoPassword) {
  for (const char* text : {"user:s3cret@host:1", "user:s3cret@host", "user:s3cret", "s3cret@[::1]:1", "[s3cret]:1", "user:s3cret:1"}) {
    const std::string why = listen_problem(text, true, true);
    EXPECT_NE(why, "") << text;
    EXPECT_EQ(why.find("s3cret"), std::string::npos) << why;
  }
}

TEST(ListenProblem, GuardsPublicAddresses) {
  struct Case {
    const char* listen;
    bool is_public;
  };
  for (const Case& c : {Case{"127.0.0.1:9464", false}, Case{"127.255.0.9:1", false}, Case{"[::1]:9464", false},
                        Case{"localhost:9464", false}, Case{"0.0.0.0:9464", true}, Case{":9464", true}, Case{"[::]:9464", true},
                        Case{"10.0.0.1:9464", true}, Case{"localhost.example.org:1", true}, Case{"[::ffff:127.0.0.1]:1", true}}) {
    EXPECT_EQ(listen_problem(c.listen, false, false) != "", c.is_public) << c.listen;
    EXPECT_EQ(listen_problem(c.listen, true, false), "") << c.listen;
    EXPECT_EQ(listen_problem(c.listen, false, true), "") << c.listen;
  }
}

}  // namespace
}  // namespace driftd::exporters
