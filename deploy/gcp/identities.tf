# Service accounts and their roles. Pods get an account by Workload Identity; no account has a key.
locals {
  accounts = {
    dagster  = "Dagster's code location and runs."
    metrics  = "Metrics of Dagster."
    serve    = "Replicas of Ray Serve."
    training = "Workers of Ray Train and jobs of Vertex AI."
    nodes    = "Nodes of the cluster."
  }

  # Kubernetes service accounts, as namespace/name, by the account that they act as.
  pods = {
    "football-dagster/football-code"     = "dagster"
    "football-dagster/football-run"      = "dagster"
    "football-dagster/football-metrics"  = "metrics"
    "football-dagster/football-training" = "training"
    "football-serve/football-serve"      = "serve"
  }

  # Objects below a prefix that an account may write and delete.
  writes = {
    serve    = "prediction_log/"
    training = "training_checkpoints/"
  }
}

resource "google_service_account" "accounts" {
  for_each = local.accounts

  account_id   = "football-${each.key}"
  display_name = "football-${each.key}"
  description  = each.value

  depends_on = [google_project_service.used]
}

resource "google_service_account_iam_member" "pods" {
  for_each = local.pods

  service_account_id = google_service_account.accounts[each.value].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project}.svc.id.goog[${each.key}]"

  depends_on = [google_container_cluster.football] # it creates the identity pool
}

resource "google_storage_bucket_iam_member" "dagster" {
  bucket = google_storage_bucket.football.name
  role   = "roles/storage.objectUser"
  member = google_service_account.accounts["dagster"].member
}

resource "google_storage_bucket_iam_member" "readers" {
  for_each = toset(concat(["metrics"], keys(local.writes)))

  bucket = google_storage_bucket.football.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.accounts[each.key].member
}

# Dagster Pipes reads the metadata of the bucket before its objects.
resource "google_storage_bucket_iam_member" "buckets" {
  for_each = toset(["dagster", "training"])

  bucket = google_storage_bucket.football.name
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.accounts[each.key].member
}

# Accounts that start a job of Vertex AI, which runs as the account of training.
resource "google_project_iam_member" "vertex" {
  project = var.project
  role    = "roles/aiplatform.user"
  member  = google_service_account.accounts["dagster"].member

  depends_on = [google_project_service.used]
}

resource "google_service_account_iam_member" "vertex" {
  service_account_id = google_service_account.accounts["training"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.accounts["dagster"].member
}

resource "google_storage_bucket_iam_member" "writers" {
  for_each = local.writes

  bucket = google_storage_bucket.football.name
  role   = "roles/storage.objectUser"
  member = google_service_account.accounts[each.key].member

  condition {
    title      = "${each.key}-own-objects"
    expression = "resource.name.startsWith('projects/_/buckets/${google_storage_bucket.football.name}/objects/${each.value}')"
  }
}

# Logs, metrics and other data of the agents of a node. The evaluator of the rules of managed Prometheus also reads metrics.
resource "google_project_iam_member" "nodes" {
  for_each = toset(["roles/container.defaultNodeServiceAccount", "roles/monitoring.viewer"])

  project = var.project
  role    = each.value
  member  = google_service_account.accounts["nodes"].member

  depends_on = [google_project_service.used]
}

resource "google_artifact_registry_repository_iam_member" "readers" {
  for_each = toset(["nodes", "training"])

  repository = google_artifact_registry_repository.football.name
  location   = google_artifact_registry_repository.football.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.accounts[each.key].member
}
