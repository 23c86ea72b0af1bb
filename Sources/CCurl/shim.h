#pragma once

#if !__has_include(<curl/curl.h>)
#error "curl/curl.h is missing. On Debian: apt-get install libcurl4-openssl-dev"
#endif
// Its checks of variadic arguments are for callers in C.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// curl_easy_setopt and its like are variadic, which Swift can't call.
static inline CURLcode curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

// Texts are copied by curl; but for CURLOPT_POSTFIELDS, which has to stay where it is.
static inline CURLcode curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*curl_receiver)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode curl_set_receiver(CURL *handle, CURLoption option, curl_receiver value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLMcode curl_set_bound(CURLM *all, CURLMoption option, long value) {
    return curl_multi_setopt(all, option, value);
}

// A member of a union.
static inline CURLcode curl_result(const CURLMsg *message) { return message->data.result; }

static inline CURLcode curl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

// Else the end of a transfer waits for the thread that looks for the host's address, and all other transfers with it.
static inline void curl_leave_resolver(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
#else
    (void) handle;
#endif
}
