# One static library a folder. The targets carry the include rule of docs/ARCHITECTURE.md: everyone
# sees core; only rules also sees stats; app sees all. tests/architecture checks the #include lines.
driftd_units(SOURCE_UNITS SOURCE_TESTS ingest/sources.def SOURCE ingest/sources tests/ingest _source)
driftd_units(DECODER_UNITS DECODER_TESTS ingest/decoders.def DECODER ingest/decoders tests/ingest _decoder)
driftd_units(DISTANCE_UNITS DISTANCE_TESTS stats/distances.def DISTANCE stats/distances tests/stats "")
driftd_units(DETECTOR_UNITS DETECTOR_TESTS stats/detectors.def DETECTOR stats/detectors tests/stats "")
driftd_units(CHECK_UNITS CHECK_TESTS rules/checks.def CHECK rules/checks tests/rules "")
driftd_units(NOTIFIER_UNITS NOTIFIER_TESTS alerts/notifiers.def NOTIFIER alerts/notifiers tests/alerts _notifier)

function(driftd_folder name)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cc)
  list(FILTER files EXCLUDE REGEX "/main\\.cc$")
  add_library(driftd_${name} STATIC ${files} ${ARGN})
  target_include_directories(driftd_${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

driftd_folder(core)
target_link_libraries(driftd_core PUBLIC Threads::Threads PRIVATE spdlog::spdlog fmt::fmt OpenSSL::Crypto PkgConfig::SQLITE CURL::libcurl)

driftd_folder(ingest ${SOURCE_UNITS} ${DECODER_UNITS})
target_link_libraries(driftd_ingest PUBLIC driftd_core
  PRIVATE simdjson::simdjson PkgConfig::RDKAFKA PkgConfig::MOSQUITTO OpenSSL::SSL nlohmann_json::nlohmann_json)

driftd_folder(stats ${DISTANCE_UNITS} ${DETECTOR_UNITS})
target_link_libraries(driftd_stats PUBLIC driftd_core
  PRIVATE Boost::headers PkgConfig::SQLITE PkgConfig::MARIADB nlohmann_json::nlohmann_json)

driftd_folder(rules ${CHECK_UNITS})
target_link_libraries(driftd_rules PUBLIC driftd_stats PRIVATE PkgConfig::RE2)

driftd_folder(alerts ${NOTIFIER_UNITS})
target_link_libraries(driftd_alerts PUBLIC driftd_core
  PRIVATE CURL::libcurl OpenSSL::Crypto nlohmann_json::nlohmann_json PkgConfig::SQLITE)

driftd_folder(exporters)
target_link_libraries(driftd_exporters PUBLIC driftd_core
  PRIVATE prometheus-cpp::core Boost::headers OpenSSL::SSL OpenSSL::Crypto ${CRYPT_LIBRARY} nlohmann_json::nlohmann_json)

file(GLOB APP_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/app/*/*.cc)
if(DRIFTD_FUZZ)  # no fuzz target reaches the service (but for what has a state) or the commands, which take long to compile
  list(FILTER APP_FILES EXCLUDE REGEX "/app/(run|commands)/")
  foreach(file checkpoint_store finding_hub finding_hub_outbox hand_over_rows sqlite_store sqlite_store_repair)
    list(APPEND APP_FILES ${CMAKE_SOURCE_DIR}/app/run/${file}.cc)
  endforeach()
endif()
driftd_folder(app ${APP_FILES})
target_link_libraries(driftd_app
  PUBLIC driftd_core driftd_ingest driftd_stats driftd_rules driftd_alerts driftd_exporters
  PRIVATE yaml-cpp CLI11::CLI11 PkgConfig::RDKAFKA nlohmann_json::nlohmann_json PkgConfig::SQLITE)
target_compile_definitions(driftd_app PRIVATE DRIFTD_VERSION="${PROJECT_VERSION}")

if(NOT DRIFTD_FUZZ)
  add_executable(driftd app/main.cc)
  target_link_libraries(driftd PRIVATE driftd_app)
endif()
