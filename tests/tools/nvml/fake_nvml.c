/* Stands for NVIDIA's libnvidia-ml.so.1 in tests: the calls that the system monitor makes, answered from a text file.
 *
 * FAKE_NVML names the file. It is read at every call, so that a test changes the answers while they are asked for:
 *
 *     count=2             GPUs
 *     init=!18            nvmlInit fails with error 18
 *     0.name=NVIDIA ...   of GPU 0
 *     0.use=37            percent
 *     0.memory=1024 4096  used and total, in MiB
 *     0.power=!15         the call fails with error 15
 *     1.temperature=hang  the call does not return
 *     calls=PATH          each call is appended to that file
 *
 * What the file does not name is answered with NVML_ERROR_NOT_SUPPORTED. Signatures: NVIDIA's NVML API reference.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, LINE = 256 };

/* Copies the value of `key` to `value`; an empty one if the file does not name it. */
static void look_up(const char *key, char *value) {
  const char *path = getenv("FAKE_NVML");
  FILE *file = path ? fopen(path, "r") : NULL;
  char line[LINE];
  size_t length = strlen(key);
  value[0] = '\0';
  while (file && fgets(line, LINE, file)) {
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, key, length) == 0 && line[length] == '=') strcpy(value, line + length + 1);
  }
  if (file) fclose(file);
}

static void note(const char *key) {
  char path[LINE];
  look_up("calls", path);
  FILE *file = path[0] ? fopen(path, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s\n", key);
  fclose(file);
}

/* Looks `key` up and says what the call is to return. */
static int answer(const char *key, char *value) {
  note(key);
  look_up(key, value);
  while (strcmp(value, "hang") == 0) sleep(1);
  if (value[0] == '!') return atoi(value + 1);
  return value[0] ? SUCCESS : NOT_SUPPORTED;
}

static int of_gpu(const void *device, const char *figure, char *value) {
  char key[LINE];
  snprintf(key, LINE, "%d.%s", (int)(intptr_t)device - 1, figure);
  return answer(key, value);
}

static int number_of(const void *device, const char *figure, unsigned *number) {
  char value[LINE];
  int result = of_gpu(device, figure, value);
  if (result == SUCCESS) *number = (unsigned)atoi(value);
  return result;
}

int nvmlInitWithFlags(unsigned flags) {
  char value[LINE];
  (void)flags;
  int result = answer("init", value);
  return result == NOT_SUPPORTED ? SUCCESS : result;
}

int nvmlShutdown(void) {
  note("shutdown");
  return SUCCESS;
}

const char *nvmlErrorString(int result) { return result == SUCCESS ? "Success" : "An error of the fake library"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
  char value[LINE];
  int result = answer("count", value);
  *count = (unsigned)atoi(value);
  return result == NOT_SUPPORTED ? SUCCESS : result;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  char value[LINE];
  *device = (void *)(intptr_t)(index + 1);
  int result = of_gpu(*device, "handle", value);
  return result == NOT_SUPPORTED ? SUCCESS : result;
}

int nvmlDeviceGetName(void *device, char *name, unsigned length) {
  char value[LINE];
  int result = of_gpu(device, "name", value);
  if (result == SUCCESS) snprintf(name, length, "%s", value);
  return result;
}

typedef struct { unsigned gpu, memory; } Utilization;

int nvmlDeviceGetUtilizationRates(void *device, Utilization *use) { return number_of(device, "use", &use->gpu); }

typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory2;

int nvmlDeviceGetMemoryInfo_v2(void *device, Memory2 *memory) {
  char value[LINE];
  int result = of_gpu(device, "memory", value);
  unsigned long long used = 0, total = 0;
  if (result == SUCCESS) sscanf(value, "%llu %llu", &used, &total);
  memory->used = used << 20;
  memory->total = total << 20;
  return result;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) {
  (void)sensor;
  return number_of(device, "temperature", celsius);
}

int nvmlDeviceGetTemperatureThreshold(void *device, int threshold, unsigned *celsius) {
  (void)threshold;
  return number_of(device, "slowdown", celsius);
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { return number_of(device, "power", milliwatts); }

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) {
  return number_of(device, "power_limit", milliwatts);
}
