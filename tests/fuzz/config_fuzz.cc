// The configuration: any text is a configuration or errors that say where, the same each time.
#include "app/config/config.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  const std::string text(fuzz::text_of(data, size));
  ErrorList errors, again;
  const app::Config config = app::read_config(text, "/nonexistent", errors);
  const app::Config twin = app::read_config(text, "/nonexistent", again);
  FUZZ_CHECK(errors.errors().size() == again.errors().size(), "the same text has other errors");
  for (const ConfigError& e : errors.errors()) FUZZ_CHECK(!e.message.empty() && e.line >= 0, e.message);
  if (!errors.empty()) {
    FUZZ_CHECK(!app::format_errors("fuzz.yaml", errors).empty(), "errors without a text");
    return 0;
  }
  for (std::size_t i = 0; i < config.streams.size(); ++i) {
    FUZZ_CHECK(config.streams[i].hash == twin.streams[i].hash, config.streams[i].name);
    const auto plan = app::make_plan(config.streams[i], nullptr, false);
    FUZZ_CHECK(plan.ok(), "check says yes, and it cannot be made: " + (plan.ok() ? "" : plan.error().message));
  }
  return 0;
}
