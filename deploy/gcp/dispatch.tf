# Notifies the repository on GitHub when results land or a model version is registered, so that a workflow validates them and
# sets a commit status. Optional: Dagster's sensors need none of it. Nothing here is created without github_repository.
#
#   (cd dispatch && zip ../dispatch.zip *.py requirements.txt)
#   terraform apply -target=google_secret_manager_secret.github_token
#   gcloud secrets versions add football-github-token --data-file=-     # the token, on standard input
#   terraform apply
#
# The order matters: the function reads the newest version of the secret, and cannot be created while there is none.
locals {
  dispatch = var.github_repository == null ? toset([]) : toset(["dispatch"])

  # Roles of a build: write its log, read the source, push the image.
  build_roles = var.github_repository == null ? toset([]) : toset([
    "roles/artifactregistry.writer",
    "roles/logging.logWriter",
    "roles/storage.objectViewer",
  ])
}

resource "google_secret_manager_secret" "github_token" {
  for_each = local.dispatch

  secret_id = "football-github-token"

  replication {
    auto {}
  }

  depends_on = [google_project_service.used]
}

resource "google_service_account" "dispatch" {
  for_each = local.dispatch

  account_id   = "football-dispatch"
  display_name = "football-dispatch"
  description  = "The function that tells GitHub of new objects."

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_iam_member" "dispatch" {
  for_each = local.dispatch

  secret_id = google_secret_manager_secret.github_token[each.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.dispatch[each.key].member
}

# Cloud Storage publishes the events, and Eventarc delivers them to the function as this account.
data "google_storage_project_service_account" "events" {
  depends_on = [google_project_service.used]
}

resource "google_project_iam_member" "events" {
  for_each = local.dispatch

  project = var.project
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${data.google_storage_project_service_account.events.email_address}"

  depends_on = [google_project_service.used]
}

resource "google_project_iam_member" "dispatch" {
  for_each = local.dispatch

  project = var.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.dispatch[each.key].member

  depends_on = [google_project_service.used]
}

# Cloud Build builds the function as this account. New projects have no default account with these rights.
resource "google_service_account" "build" {
  for_each = local.dispatch

  account_id   = "football-build"
  display_name = "football-build"
  description  = "Builds of the function that tells GitHub of new objects."

  depends_on = [google_project_service.used]
}

resource "google_project_iam_member" "build" {
  for_each = local.build_roles

  project = var.project
  role    = each.value
  member  = google_service_account.build["dispatch"].member

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket" "functions" {
  for_each = local.dispatch

  name                        = "${var.project}-football-functions"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_object" "dispatch" {
  for_each = local.dispatch

  bucket = google_storage_bucket.functions[each.key].name
  name   = "dispatch-${filemd5(var.dispatch_archive)}.zip"
  source = var.dispatch_archive
}

resource "google_cloudfunctions2_function" "dispatch" {
  for_each = local.dispatch

  name        = "football-dispatch"
  location    = var.region
  description = "Tells GitHub when results land or a model version is registered."

  build_config {
    runtime         = "python312"
    entry_point     = "dispatch"
    service_account = google_service_account.build[each.key].id
    source {
      storage_source {
        bucket = google_storage_bucket.functions[each.key].name
        object = google_storage_bucket_object.dispatch[each.key].name
      }
    }
  }

  service_config {
    max_instance_count    = 3
    available_memory      = "256M"
    timeout_seconds       = 60
    ingress_settings      = "ALLOW_INTERNAL_ONLY"
    service_account_email = google_service_account.dispatch[each.key].email
    environment_variables = {
      GITHUB_REPOSITORY = var.github_repository
    }
    secret_environment_variables {
      key        = "GITHUB_TOKEN"
      project_id = var.project
      secret     = google_secret_manager_secret.github_token[each.key].secret_id
      version    = "latest"
    }
  }

  event_trigger {
    trigger_region        = lower(google_storage_bucket.football.location)
    event_type            = "google.cloud.storage.object.v1.finalized"
    retry_policy          = "RETRY_POLICY_RETRY"
    service_account_email = google_service_account.dispatch[each.key].email
    event_filters {
      attribute = "bucket"
      value     = google_storage_bucket.football.name
    }
  }

  depends_on = [google_project_iam_member.events, google_project_iam_member.dispatch, google_project_iam_member.build, google_secret_manager_secret_iam_member.dispatch]
}

resource "google_cloud_run_service_iam_member" "dispatch" {
  for_each = local.dispatch

  location = var.region
  service  = google_cloudfunctions2_function.dispatch[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.dispatch[each.key].member
}

# The workflows read the bucket as this account. It has no key: it is impersonated with the OpenID Connect token of a run of main.
resource "google_service_account" "validation" {
  for_each = local.dispatch

  account_id   = "football-validation"
  display_name = "football-validation"
  description  = "Workflows of the repository that validate results and models."

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_iam_member" "validation" {
  for_each = local.dispatch

  bucket = google_storage_bucket.football.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.validation[each.key].member
}

resource "google_iam_workload_identity_pool" "github" {
  for_each = local.dispatch

  workload_identity_pool_id = "football-github"

  depends_on = [google_project_service.used]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  for_each = local.dispatch

  workload_identity_pool_id          = google_iam_workload_identity_pool.github[each.key].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition                = "assertion.repository == '${var.github_repository}' && assertion.ref == 'refs/heads/main'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "validation" {
  for_each = local.dispatch

  service_account_id = google_service_account.validation[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[each.key].name}/attribute.repository/${var.github_repository}"
}
