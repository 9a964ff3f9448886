// Read by ThreadSanitizer's run-time library when a test starts.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  // civetweb writes the Date header with gmtime(3), whose buffer all threads share; nothing else of
  // the answer depends on it.
  return "race_top:gmtime\n";
}
